package optim

import "math"

// Schedule is the learning rate over time: linear warm-up, then a staircase (official
// train_wrn_ebm.py, with its quirk that the warm-up rises to the base rate whatever the
// staircase says), or, for short runs, half a cosine down to zero.
type Schedule struct {
	Base        float32
	Warmup      int   // steps; 0: none
	DecayEpochs []int // the rate is multiplied by DecayRate when each begins
	DecayRate   float32
	CosineSteps int // steps of the whole run; 0: no cosine
}

// At returns the rate of a step (from 0) in an epoch (from 0). Step 0 of a warm-up has
// rate 0, as published.
func (s Schedule) At(step, epoch int) float32 {
	if step <= s.Warmup && s.Warmup > 0 {
		return s.Base * float32(step) / float32(s.Warmup)
	}
	lr := s.Base
	for _, e := range s.DecayEpochs {
		if epoch >= e {
			lr *= s.DecayRate
		}
	}
	if s.CosineSteps > 0 {
		progress := float64(step-s.Warmup) / float64(max(1, s.CosineSteps-s.Warmup))
		lr *= float32(0.5 + 0.5*math.Cos(math.Pi*min(1, progress)))
	}
	return lr
}
