package cpu

import (
	"jem/backend"
	"jem/backend/cpu/asm"
)

// conv is the CPU's backend.Conv. The spec checks its operands; each of its verbs is an algorithm
// of its own. Forward pass and input gradient are sweeps: the same direct convolution
// over different packings of the weights. The parameter gradient is a sum of outer
// products.
type conv struct {
	d    *Device
	spec backend.ConvSpec
	w, b *tensor // b is nil without bias
	x, y geometry

	forward   pass
	inputGrad pass      // nil if never asked for
	paramGrad paramPass // nil if never asked for
	chained   [2]pass   // what takes the place of the first two in chains, if anything does
}

// pass is an algorithm for the forward pass or the input gradient.
type pass interface {
	name() string
	run(operands)
}

// operands are the arguments of a pass over n images: src is x or dy, the others have
// the shape of the result. See asm.ConvTile for their order.
type operands struct {
	n                        int
	src                      *tensor
	raw, act, residual, sign *tensor // some nil, but not both raw and act
}

// paramPass is an algorithm for the parameter gradient.
type paramPass interface {
	name() string
	run(gradCall)
}

// gradCall are the arguments of a paramPass over n images; db may be nil.
type gradCall struct {
	n             int
	x, dy, dw, db *tensor
}

// NewConv implements backend.Planner.
func (d *Device) NewConv(spec backend.ConvSpec, w, b backend.Tensor) backend.Conv {
	spec.Check(w, b)
	return d.newConv(spec, w.(*tensor), optional(b))
}

// newConv plans a convolution that makes sense.
func (d *Device) newConv(spec backend.ConvSpec, w, b *tensor) *conv {
	c := &conv{d: d, spec: spec, w: w, b: b}
	c.x = newGeometry(spec.InC, spec.H, spec.W)
	c.y = newGeometry(spec.OutC, spec.OutH(), spec.OutW())
	if spec.KernelW == 0 {
		c.choose()
	} else {
		c.forward = newForward(c, asm.ConvFor(d.isa))
	}
	return c
}

// ParamsChanged implements backend.Planner.
func (d *Device) ParamsChanged() { d.params++ }

// Spec implements backend.Conv.
func (c *conv) Spec() backend.ConvSpec { return c.spec }

// Algorithms implements backend.Conv.
func (c *conv) Algorithms() (forward, inputGrad, paramGrad string) {
	forward, inputGrad, paramGrad = c.forward.name(), "none", "none"
	if c.inputGrad != nil {
		inputGrad = c.inputGrad.name()
	}
	if c.paramGrad != nil {
		paramGrad = c.paramGrad.name()
	}
	return forward, inputGrad, paramGrad
}

// optional is the memory of an operand that may be nil.
func optional(t backend.Tensor) *tensor {
	if t == nil {
		return nil
	}
	return t.(*tensor)
}

// Forward implements backend.Conv.
func (c *conv) Forward(raw, act, x, residual backend.Tensor) {
	n := c.spec.CheckForward(raw, act, x, residual)
	c.pass(forwardPass, c.forward).run(operands{
		n: n, src: x.(*tensor), raw: optional(raw), act: optional(act), residual: optional(residual),
	})
}

// InputGrad implements backend.Conv.
func (c *conv) InputGrad(dx, dy, act, residual backend.Tensor) {
	n := c.spec.CheckInputGrad(dx, dy, act, residual)
	c.pass(inputGradient, c.inputGrad).run(operands{
		n: n, src: dy.(*tensor), raw: dx.(*tensor), sign: optional(act), residual: optional(residual),
	})
}

// ParamGrad implements backend.Conv.
func (c *conv) ParamGrad(dw, db, x, dy backend.Tensor) {
	n := c.spec.CheckParamGrad(c.w, dw, db, x, dy)
	c.paramGrad.run(gradCall{n: n, x: x.(*tensor), dy: dy.(*tensor), dw: dw.(*tensor), db: optional(db)})
}
