package cpu

import (
	"fmt"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// conv is the CPU's backend.Conv. It checks operands; each of its verbs is an algorithm
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
	kh, kw := spec.Window()
	ph, pw := spec.Padding()
	square := spec.KernelW == 0
	if spec.N < 1 || spec.InC < 1 || spec.OutC < 1 || kh < 1 || kw < 1 || kh%2 == 0 || kw%2 == 0 || spec.Stride < 1 ||
		ph < 0 || pw < 0 || spec.H+2*ph < kh || spec.W+2*pw < kw || !square && !(spec.NoInputGrad && spec.NoParamGrad) {
		panic(fmt.Sprintf("backend: NewConv: %+v is no convolution", spec))
	}
	backend.CheckShape("NewConv", w, backend.Dense, spec.OutC, spec.InC, kh, kw)
	var bias *tensor
	if b != nil {
		backend.CheckShape("NewConv", b, backend.Dense, spec.OutC)
		bias = b.(*tensor)
	}
	return d.newConv(spec, w.(*tensor), bias)
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

// image returns t's memory after checking that it is a batch of n images of the given
// geometry. A nil t gives nil.
func image(op string, t backend.Tensor, n int, g *geometry) *tensor {
	if t == nil {
		return nil
	}
	if s := t.Shape(); t.Kind() != backend.Image || s[0] != n || s[1] != g.c || s[2] != g.h || s[3] != g.w {
		backend.CheckShape(op, t, backend.Image, n, g.c, g.h, g.w)
	}
	return t.(*tensor)
}

// Forward implements backend.Conv.
func (c *conv) Forward(raw, act, x, residual backend.Tensor) {
	const op = "Conv.Forward"
	if raw == nil && act == nil || x == nil {
		backend.Mismatch(op, raw, act, x, residual)
	}
	n := x.Shape()[0]
	c.pass(forwardPass, c.forward).run(operands{
		n:        n,
		src:      image(op, x, n, &c.x),
		raw:      image(op, raw, n, &c.y),
		act:      image(op, act, n, &c.y),
		residual: image(op, residual, n, &c.y),
	})
}

// InputGrad implements backend.Conv.
func (c *conv) InputGrad(dx, dy, act, residual backend.Tensor) {
	const op = "Conv.InputGrad"
	if dx == nil || dy == nil || c.inputGrad == nil {
		backend.Mismatch(op, dx, dy, act, residual)
	}
	n := dy.Shape()[0]
	c.pass(inputGradient, c.inputGrad).run(operands{
		n:        n,
		src:      image(op, dy, n, &c.y),
		raw:      image(op, dx, n, &c.x),
		sign:     image(op, act, n, &c.x),
		residual: image(op, residual, n, &c.x),
	})
}

// ParamGrad implements backend.Conv.
func (c *conv) ParamGrad(dw, db, x, dy backend.Tensor) {
	const op = "Conv.ParamGrad"
	if x == nil || dy == nil || c.paramGrad == nil {
		backend.Mismatch(op, dw, db, x, dy)
	}
	backend.SameShape(op, dw, c.w)
	n := x.Shape()[0]
	call := gradCall{n: n, x: image(op, x, n, &c.x), dy: image(op, dy, n, &c.y), dw: dw.(*tensor)}
	if db != nil {
		if db.Kind() != backend.Dense || backend.Len(db) != c.spec.OutC {
			backend.CheckShape(op, db, backend.Dense, c.spec.OutC)
		}
		call.db = db.(*tensor)
	}
	c.paramGrad.run(call)
}
