package model

import "jem/backend"

// Guided is the density of guided samples, made of the same logits as p(x) and p(x|y): its
// energy is (1+w)·E(x,y) − w·E(x), so
//
//	log p̃(x) = (1+w)·f(x)[y] − w·LogSumExp f(x) = log p(x,y) + w·log p(y|x)
//
// up to constants, for fixed labels y, Index (N). Weight 0 is Given; more of it trades variety
// for images that the classifier is sure of.
type Guided struct {
	jem    *JEM
	labels backend.Tensor
	weight float32
	coefs  byBatch // (−w,0,1+w)
}

// NewGuided makes the guided density of weight w ≥ 0.
func NewGuided(j *JEM, labels backend.Tensor, w float32) *Guided {
	return &Guided{jem: j, labels: labels, weight: w, coefs: byBatch{}}
}

// LogDensityGrad assigns g the gradient ∂ log p̃(x)/∂x of each sample.
func (d *Guided) LogDensityGrad(g, x backend.Tensor) {
	d.jem.grad(g, x, d.labels, d.coefs, -d.weight, 1+d.weight)
}
