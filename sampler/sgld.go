package sampler

import (
	"math"

	"jem/backend"
	"jem/backend/philox"
)

// Target is a density on images known up to a constant factor.
type Target interface {
	// LogDensityGrad assigns g, shape of x, the gradient ∂ log p(x)/∂x of each sample.
	LogDensityGrad(g, x backend.Tensor)
}

// SGLD is the published sampler (Grathwohl et al. 2020, Eq. 4; official sample_q):
//
//	x ← x + α·∂log p(x)/∂x + σ·ε,  ε ~ N(0,1),  K times.
//
// α and σ are independent numbers as in the official code, where α = 1 and σ = 0.01 at
// K = 20. Clipping the gradient and clamping the pixels are the stabilisers of JEM++;
// the decays are ours.
type SGLD struct {
	Steps      int     // K
	StepSize   float32 // α of the first step
	Noise      float32 // σ of the first step
	StepDecay  float32 // α is multiplied by it after each step; 0 means 1
	NoiseDecay float32 // the same for σ
	GradClip   float32 // gradient elements are clipped to ±GradClip; 0: off
	Clamp      bool    // pixels are kept in [−1,1]
}

// At returns the constants of step k = 0 … K−1.
func (s SGLD) At(k int) backend.SGLD {
	p := backend.SGLD{
		StepSize: s.StepSize * power(s.StepDecay, k),
		Noise:    s.Noise * power(s.NoiseDecay, k),
		GradClip: s.GradClip,
	}
	if s.Clamp {
		p.Lo, p.Hi = -1, 1
	}
	return p
}

// Chain plans the K steps for the chains x (N,C,H,W), which each Run moves in place, step k
// drawing its noise from the run's key with Sub + k. grad is working memory of x's shape.
// Nothing is copied to the host or waited for. The chain holds on to device, target and
// tensors; constants are those of s now.
func (s SGLD) Chain(d backend.Device, target Target, x, grad backend.Tensor) backend.Chain {
	return chain(d, s, target, x, grad, 0, s.Steps)
}

// chain plans steps of a move for the images x, from the given one on.
func chain(d backend.Device, m Move, target Target, x, grad backend.Tensor, first, steps int) backend.Chain {
	return backend.NewChain(d, steps, func(k int, key philox.Key) {
		target.LogDensityGrad(grad, x)
		m.Step(d, x, grad, first+k, key)
	})
}

// Step implements Move.
func (s SGLD) Step(d backend.Device, x, grad backend.Tensor, k int, key philox.Key) {
	d.SGLDStep(x, grad, key, s.At(k))
}

// Constant implements Move: it reports whether α and σ stay as they are.
func (s SGLD) Constant() bool { return power(s.StepDecay, 1) == 1 && power(s.NoiseDecay, 1) == 1 }

func power(decay float32, k int) float32 {
	if decay == 0 || decay == 1 {
		return 1
	}
	return float32(math.Pow(float64(decay), float64(k)))
}
