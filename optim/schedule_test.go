package optim

import "testing"

func TestScheduleIsThePublishedOne(t *testing.T) {
	s := Schedule{Base: 1e-4, Warmup: 1000, DecayEpochs: []int{50, 100}, DecayRate: 0.3}
	for _, tc := range []struct {
		step, epoch int
		want        float32
	}{
		{0, 0, 0}, {500, 0, 5e-5}, {1000, 1, 1e-4}, {1001, 1, 1e-4},
		{40000, 50, 1e-4 * 0.3}, {90000, 100, 1e-4 * 0.3 * 0.3},
		{500, 60, 5e-5}, // a warm-up inside the staircase uses the base rate
	} {
		// One rounding a factor: 3 factors, relative 2⁻²³ each.
		if got := s.At(tc.step, tc.epoch); got < tc.want*(1-4e-7) || got > tc.want*(1+4e-7) {
			t.Errorf("At(%d, %d) = %v, want %v", tc.step, tc.epoch, got, tc.want)
		}
	}
	if got := (Schedule{Base: 0.1}).At(0, 0); got != 0.1 {
		t.Errorf("without warm-up step 0 has rate %v, want 0.1", got)
	}
}

func TestCosineFallsToZero(t *testing.T) {
	s := Schedule{Base: 1, Warmup: 10, CosineSteps: 110}
	for _, tc := range []struct {
		step int
		want float32
	}{{5, 0.5}, {10, 1}, {60, 0.5}, {110, 0}, {500, 0}} {
		if got := s.At(tc.step, 0); got < tc.want-1e-6 || got > tc.want+1e-6 { // the cosine's rounding
			t.Errorf("At(%d) = %v, want %v", tc.step, got, tc.want)
		}
	}
}
