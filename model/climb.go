package model

import "jem/backend"

// Climb says what images ascend, as the coefficients (c₀,c₁,c₂,c₃) of backend.LogitGrad.
type Climb [4]float32

// The climbs. Those that are of a class take labels.
var (
	ClimbLogPx        = Climb{1, 0, 0, 0}  // log p(x) = LogSumExp f(x)
	ClimbLogit        = Climb{0, 0, 1, 0}  // log p(x,y) = f(x)[y], and so log p(x|y)
	ClimbCrossEntropy = Climb{1, 0, -1, 0} // −log p(y|x): away from the class
	ClimbEnergy       = Climb{-1, 0, 0, 0} // −log p(x)
)

// ClimbGuided is that of guided samples, made of the same logits as p(x) and p(x|y): its
// energy is (1+w)·E(x,y) − w·E(x), so
//
//	log p̃(x) = (1+w)·f(x)[y] − w·LogSumExp f(x) = log p(x,y) + w·log p(y|x)
//
// up to constants. Weight 0 is ClimbLogit; more of it trades variety for images that the
// classifier is sure of.
func ClimbGuided(w float32) Climb { return Climb{0 - w, 0, 1 + w, 0} }

// Given is a density of a JEM for fixed labels y, Index (N).
type Given struct {
	*JEM
	Labels backend.Tensor
	Climb  Climb
}

// LogDensityGrad assigns g the gradient of what is climbed, of each sample.
func (c Given) LogDensityGrad(g, x backend.Tensor) { c.grad(g, x, c.Labels, c.Climb) }
