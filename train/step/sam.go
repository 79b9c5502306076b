package step

import (
	"math"

	"jem/backend"
	"jem/model"
)

// samEps keeps the climb finite where the gradient is 0 (Foret et al. 2021, and its public code).
const samEps = 1e-12

// Sharpen replaces the parameter gradients by those at the worst weights nearby, where the step is to
// have them so (SAM, Foret et al. 2021; adaptive: ASAM, Kwon et al. 2021):
//
//	w′ = w + ρ·g/‖g‖, or, adaptive, w + ρ·w²⊙g/‖|w|⊙g‖;  g ← ∂L(w′)
//
// for the images of the step, which don't move again. Running statistics stay. The weights are back in
// their place afterwards.
func (s *Step) Sharpen(at At, r *Record) error {
	o := s.now.SAM
	if o.Rho == 0 || at.Step%o.Every != 0 || math.IsNaN(r.GradNorm) || math.IsInf(r.GradNorm, 0) {
		return nil
	}
	w := s.Net.Params
	s.dev.Copy(s.away, w.Value)
	defer func() {
		s.dev.Copy(w.Value, s.away)
		s.dev.ParamsChanged()
	}()
	if err := s.climb(o.Rho, o.Adaptive, r.GradNorm); err != nil {
		return err
	}
	norms := min(s.norms(), backend.BatchStats)
	norm, _, err := s.gradient(at, norms)
	if err != nil {
		return err
	}
	r.GradNorm, r.Sharpness = norm, s.loss().L-r.L
	return nil
}

// climb moves the weights to the worst ones of the ball, as the gradient foretells them.
func (s *Step) climb(rho float32, adaptive bool, norm float64) error {
	w := s.Net.Params
	if adaptive {
		s.dev.ProductSquares(s.scalar, w.Value, w.Grad)
		var err error
		if norm, err = s.root(); err != nil {
			return err
		}
	}
	if a := float32(float64(rho) / (norm + samEps)); adaptive {
		s.dev.AxpySquared(w.Value, a, w.Grad)
	} else {
		s.dev.Axpy(w.Value, a, w.Grad)
	}
	s.dev.ParamsChanged()
	return nil
}

// loss computes the terms from the logits of the last pass.
func (s *Step) loss() model.Terms {
	b := s.Batch
	return b.objective.Terms(b.Parts, b.Logits, b.hostLabels)
}
