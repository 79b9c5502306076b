package cpu

import (
	"time"

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

	passes    [chainedInputGradient + 1]pass // nil what is never asked for
	paramGrad paramPass                      // nil if never asked for
	lanes     []*conv                        // copies for the device's lanes
}

// passID is one of a convolution's passes. Those that chains have of their own take the place of the
// usual ones there.
type passID uint8

const (
	usualForward passID = iota
	usualInputGradient
	chainedForward
	chainedInputGradient
)

// pass is an algorithm for the forward pass or the input gradient.
type pass interface {
	name() string
	// ready brings weights into the algorithm's order, if they have changed.
	ready()
	// run computes a call. Weights are ready.
	run(operands)
	// lane is a copy for a lane's convolution, see conv.on.
	lane(c *conv) pass
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
		c.passes[usualForward] = newForward(c, asm.ConvFor(d.isa))
	}
	return c
}

// ParamsChanged implements backend.Planner.
func (d *Device) ParamsChanged() {
	d.now() // what has been recorded is with the old ones
	d.params++
}

// Spec implements backend.Conv.
func (c *conv) Spec() backend.ConvSpec { return c.spec }

// Algorithms implements backend.Conv.
func (c *conv) Algorithms() (forward, inputGrad, paramGrad string) {
	forward, inputGrad, paramGrad = c.passes[usualForward].name(), "none", "none"
	if p := c.passes[usualInputGradient]; p != nil {
		inputGrad = p.name()
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
	c.spec.CheckForward(raw, act, x, residual)
	id := c.which(usualForward)
	if r := c.d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { c.on(d).forward(id, t[0], t[1], t[2], t[3]) },
			out(raw), out(act), in(x), in(residual), shared(c.w), shared(c.b)).pass(c, id)
		return
	}
	c.passes[id].ready()
	c.forward(id, raw, act, x, residual)
}

// InputGrad implements backend.Conv.
func (c *conv) InputGrad(dx, dy, act, residual backend.Tensor) {
	c.spec.CheckInputGrad(dx, dy, act, residual)
	id := c.which(usualInputGradient)
	if r := c.d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { c.on(d).inputGrad(id, t[0], t[1], t[2], t[3]) },
			out(dx), in(dy), in(act), in(residual), shared(c.w)).pass(c, id)
		return
	}
	c.passes[id].ready()
	c.inputGrad(id, dx, dy, act, residual)
}

// forward runs a forward pass whose weights are ready.
func (c *conv) forward(id passID, raw, act, x, residual backend.Tensor) {
	defer c.d.timed(time.Now())
	c.passes[id].run(operands{n: x.Shape()[0], src: used(x), raw: used(raw), act: used(act), residual: used(residual)})
}

// inputGrad runs an input gradient whose weights are ready.
func (c *conv) inputGrad(id passID, dx, dy, act, residual backend.Tensor) {
	defer c.d.timed(time.Now())
	c.passes[id].run(operands{n: dy.Shape()[0], src: used(dy), raw: used(dx), sign: used(act), residual: used(residual)})
}

// used is an operand with its memory, nil if there is none.
func used(t backend.Tensor) *tensor {
	o := optional(t)
	o.settle()
	return o
}

// ParamGrad implements backend.Conv.
func (c *conv) ParamGrad(dw, db, x, dy backend.Tensor) {
	n := c.spec.CheckParamGrad(c.w, dw, db, x, dy)
	if r := c.d.recording; r != nil {
		r.add(sums, func(_ *Device, t []backend.Tensor) { c.ParamGrad(t[0], t[1], t[2], t[3]) }, total(dw), total(db), in(x), in(dy)).conv = c
		return
	}
	defer c.d.timed(time.Now())
	c.paramGrad.run(gradCall{n: n, x: used(x), dy: used(dy), dw: used(dw), db: used(db)})
}
