package sampler

import (
	"jem/backend"
	"jem/backend/philox"
)

// Move takes images one step along a gradient. Moves are comparable: equal ones do the same.
type Move interface {
	// Step moves x (N,C,H,W) in place along grad, shape of x. k counts the steps that the images
	// have taken; key is step k's, for moves that draw random numbers.
	Step(d backend.Device, x, grad backend.Tensor, k int, key philox.Key)
	// Constant reports whether all steps are alike.
	Constant() bool
}

// Sign moves each pixel by Size in the direction of its gradient's sign: steepest ascent in L∞.
type Sign struct{ Size float32 }

// Step implements Move.
func (m Sign) Step(d backend.Device, x, grad backend.Tensor, _ int, _ philox.Key) {
	d.SignStep(x, grad, m.Size)
}

// Constant implements Move.
func (m Sign) Constant() bool { return true }

// Unit moves each image by a length of Size, over all its pixels, along its gradient: steepest
// ascent in L2.
type Unit struct{ Size float32 }

// Step implements Move.
func (m Unit) Step(d backend.Device, x, grad backend.Tensor, _ int, _ philox.Key) {
	d.UnitStep(x, grad, m.Size)
}

// Constant implements Move.
func (m Unit) Constant() bool { return true }

// Boxed keeps pixels in [−1,1] after each step.
type Boxed struct{ Move }

// Step implements Move.
func (m Boxed) Step(d backend.Device, x, grad backend.Tensor, k int, key philox.Key) {
	m.Move.Step(d, x, grad, k, key)
	d.Clamp(x, -1, 1)
}

// Within keeps images in a ball around those of Centre (N,C,H,W), and their pixels in its range,
// after each step: projected ascent (Madry et al. 2018).
type Within struct {
	Move
	Centre backend.Tensor
	Ball   backend.Ball
}

// Step implements Move.
func (m Within) Step(d backend.Device, x, grad backend.Tensor, k int, key philox.Key) {
	m.Move.Step(d, x, grad, k, key)
	d.Project(x, m.Centre, m.Ball)
}

// Scatter moves the images x to random places of the ball around them: uniform ones of L∞, and of L2
// ones at the radius, where nearly all of a ball in so many dimensions is. scratch has x's shape.
func (m Within) Scatter(d backend.Device, x, scratch backend.Tensor, key philox.Key) {
	switch r := m.Ball.Radius; m.Ball.Norm {
	case backend.LInf:
		d.Uniform(scratch, key, -r, r)
		d.Axpy(x, 1, scratch)
	default:
		d.Normal(scratch, key, 0, 1)
		d.UnitStep(x, scratch, r)
	}
	d.Project(x, m.Centre, m.Ball)
}
