package step

import (
	"math"
	"slices"
	"testing"

	"jem/backend"
	"jem/comm"
	"jem/config"
	"jem/feed/feedtest"
)

// A ball too small for any weight to move in leaves training as it is, to the bit, running statistics of
// batch norms included: the second pass doesn't move them again.
func TestSharpeningInAPointIsNone(t *testing.T) {
	for _, norm := range []string{"none", "batch"} {
		trained := func(sam config.SAM) (state []float32) {
			cfg := feedtest.ToyConfig()
			cfg.Model.Norm, cfg.SAM = norm, sam
			s, err := New(open(t, 1), cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				if _, err := s.Take(At{Step: i}, nil); err != nil {
					t.Fatal(err)
				}
			}
			state = values(t, s, s.Net.Params.Value)
			for _, stat := range s.Net.Stats {
				state = append(state, values(t, s, stat.Value)...)
			}
			return state
		}
		without := trained(config.SAM{})
		for _, adaptive := range []bool{false, true} {
			if !slices.Equal(trained(config.SAM{Rho: 1e-30, Adaptive: adaptive, Every: 1}), without) {
				t.Errorf("norm %s, adaptive %v: training differs", norm, adaptive)
			}
			if slices.Equal(trained(config.SAM{Rho: 0.1, Adaptive: adaptive, Every: 1}), without) {
				t.Errorf("norm %s, adaptive %v: a ball of 0.1 makes no difference", norm, adaptive)
			}
		}
	}
}

// To first order the loss at the worst weights of a small ball is higher by ρ·‖g‖, or, adaptive, by ρ·‖w⊙g‖; and
// the weights are back afterwards. The second order is 2 % here at most; 5 % are allowed.
func TestTheLossRisesAsTheGradientSays(t *testing.T) {
	const rho = 1e-3
	for _, adaptive := range []bool{false, true} {
		cfg := feedtest.ToyConfig()
		cfg.SAM = config.SAM{Rho: rho, Adaptive: adaptive, Every: 1}
		s, err := New(open(t, 1), cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
		if err != nil {
			t.Fatal(err)
		}
		var r Record
		for _, verb := range []func() error{
			func() error { return s.Load(At{}) },
			func() error { return s.Sample(At{}) },
			func() error { return s.Differentiate(At{}, &r) },
		} {
			if err := verb(); err != nil {
				t.Fatal(err)
			}
		}
		w, g := values(t, s, s.Net.Params.Value), values(t, s, s.Net.Params.Grad)
		var squares float64
		for i := range g {
			v := float64(g[i])
			if adaptive {
				v *= float64(w[i])
			}
			squares += v * v
		}
		if err := s.Sharpen(At{}, &r); err != nil {
			t.Fatal(err)
		}
		if want := rho * math.Sqrt(squares); math.Abs(r.Sharpness-want) > 0.05*want {
			t.Errorf("adaptive %v: the loss rises by %g, want %g", adaptive, r.Sharpness, want)
		}
		if !slices.Equal(values(t, s, s.Net.Params.Value), w) {
			t.Errorf("adaptive %v: the weights are others afterwards", adaptive)
		}
		if slices.Equal(values(t, s, s.Net.Params.Grad), g) {
			t.Errorf("adaptive %v: the gradient is that of before", adaptive)
		}
	}
}

func values(t *testing.T, s *Step, from backend.Tensor) []float32 {
	t.Helper()
	v := make([]float32, backend.Len(from))
	if err := s.dev.Download(v, from); err != nil {
		t.Fatal(err)
	}
	return v
}
