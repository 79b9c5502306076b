package config

import "testing"

// What is due each epoch is due after whole epochs, and not before 50 steps; published sets have
// longer epochs.
func TestIntervals(t *testing.T) {
	for _, tc := range []struct{ n, epoch, want int }{{0, 703, 703}, {0, 50, 50}, {0, 5, 50}, {0, 7, 56}, {0, 1, 50}, {0, 49, 98}, {3, 5, 3}} {
		if got := (Loop{}).Interval(tc.n, tc.epoch); got != tc.want {
			t.Errorf("every %d, epochs of %d steps: %d, want %d", tc.n, tc.epoch, got, tc.want)
		}
	}
	for _, tc := range []struct{ keep, save, epoch, want int }{{10, 0, 703, 7030}, {10, 0, 7, 112}, {10, 5, 7, 70}, {0, 0, 7, 0}} {
		if got := (Loop{KeepEvery: tc.keep, SaveEvery: tc.save}).KeptInterval(tc.epoch); got != tc.want {
			t.Errorf("kept every %d epochs of %d steps: %d, want %d", tc.keep, tc.epoch, got, tc.want)
		}
	}
}
