//go:build cuda && linux && amd64

package cuda

import (
	"jem/backend"
	"jem/cuda/internal/dnn"
	"jem/cuda/internal/driver"
	"jem/kernels"
)

// conv is the device's backend.Conv. The spec checks its operands; it finds their addresses in
// the storage that the precision asks for, and hands them to a route, see route.go.
type conv struct {
	d       *Device
	spec    backend.ConvSpec
	w, b    *tensor // b is nil without bias
	weights [2]weights
	routes  map[dnn.Spec]*route

	// The computation being made, and the call that makes it.
	op       string
	route    *route
	pointers dnn.Pointers
	work     driver.Pointer
	enqueue  func() error
}

// NewConv implements backend.Planner.
func (d *Device) NewConv(spec backend.ConvSpec, w, b backend.Tensor) backend.Conv {
	spec.Check(w, b)
	c := &conv{d: d, spec: spec, w: w.(*tensor), b: optional(b), routes: map[dnn.Spec]*route{}}
	c.enqueue = func() error { return c.route.plan.Run(&c.pointers, uintptr(c.work)) }
	d.convs = append(d.convs, c)
	return c
}

func (c *conv) destroy() {
	for _, r := range c.routes {
		r.plan.Destroy()
	}
	clear(c.routes)
}

// Spec implements backend.Conv.
func (c *conv) Spec() backend.ConvSpec { return c.spec }

// Algorithms implements backend.Conv: those for the planned batch with no more than bias and
// raw result, in the precision outside chains.
func (c *conv) Algorithms() (forward, inputGrad, paramGrad string) {
	const op = "Conv.Algorithms"
	name := func(pass dnn.Pass, unasked bool) string {
		s := c.sizes(pass, c.spec.N)
		s.Bias, s.Raw = pass == dnn.Forward && c.b != nil, pass == dnn.Forward
		if unasked {
			return "none"
		}
		if r := c.find(op, s); r != nil {
			return r.name
		}
		return "none"
	}
	return name(dnn.Forward, false), name(dnn.InputGrad, c.spec.NoInputGrad), name(dnn.ParamGrad, c.spec.NoParamGrad)
}

// precision is the layer's: bfloat16 wants channels in eights, other layers stay in float32
// storage.
func (c *conv) precision() dnn.Precision {
	p := c.d.precision()
	if p == dnn.BF16 && (c.spec.InC%8 != 0 || c.spec.OutC%8 != 0) {
		return dnn.TF32
	}
	return p
}

func storageOf(p dnn.Precision) storage {
	if p == dnn.BF16 {
		return half
	}
	return single
}

// sizes are the spec of a pass over n images, nothing fused yet.
func (c *conv) sizes(pass dnn.Pass, n int) dnn.Spec {
	s := c.spec
	kh, kw := s.Window()
	ph, pw := s.Padding()
	return dnn.Spec{Pass: pass, Precision: c.precision(), N: n, C: s.InC, H: s.H, W: s.W, K: s.OutC, R: kh, S: kw,
		Stride: s.Stride, Pad: ph, PadW: pw, Alignment: 16, Slope: s.Slope}
}

// optional is an operand that may be nil.
func optional(t backend.Tensor) *tensor {
	if t == nil {
		return nil
	}
	return t.(*tensor)
}

// Forward implements backend.Conv.
func (c *conv) Forward(raw, act, x, residual backend.Tensor) {
	const op = "Conv.Forward"
	n := c.spec.CheckForward(raw, act, x, residual)
	tx, tr, ta, ts := x.(*tensor), optional(raw), optional(act), optional(residual)
	s := c.sizes(dnn.Forward, n)
	held := storageOf(s.Precision)
	c.begin(op, held)
	c.read(dnn.X, tx, held, operand1)
	c.read(dnn.Residual, ts, held, operand2)
	c.assign(dnn.Raw, tr, held)
	c.assign(dnn.Act, ta, held)
	s.Bias, s.Residual, s.Raw, s.Act = c.b != nil, ts != nil, tr != nil, ta != nil
	c.compute(s)
}

// InputGrad implements backend.Conv.
func (c *conv) InputGrad(dx, dy, act, residual backend.Tensor) {
	const op = "Conv.InputGrad"
	n := c.spec.CheckInputGrad(dx, dy, act, residual)
	ty, tx, ta, ts := dy.(*tensor), dx.(*tensor), optional(act), optional(residual)
	s := c.sizes(dnn.InputGrad, n)
	held := storageOf(s.Precision)
	c.begin(op, held)
	c.read(dnn.Y, ty, held, operand1)
	c.read(dnn.Residual, ts, held, operand2)
	c.read(dnn.Act, ta, held, operand3)
	c.assign(dnn.DX, tx, held)
	s.Act, s.Residual = ta != nil, ts != nil
	c.compute(s)
}

// ParamGrad implements backend.Conv: cuDNN's dw replaces, so it goes to memory of its own and
// is added to the caller's.
func (c *conv) ParamGrad(dw, db, x, dy backend.Tensor) {
	const op = "Conv.ParamGrad"
	n, d := c.spec.CheckParamGrad(c.w, dw, db, x, dy), c.d
	tx, ty := x.(*tensor), dy.(*tensor)
	s := c.sizes(dnn.ParamGrad, n)
	held := storageOf(s.Precision)
	c.op, c.route, c.pointers = op, nil, dnn.Pointers{}
	c.read(dnn.X, tx, held, operand1)
	c.read(dnn.Y, ty, held, operand2)
	c.pointers[dnn.DW] = uintptr(d.reserve(op, weightSum, c.w.bytes()))
	if db != nil {
		c.biasGrad(op, db.(*tensor), ty)
	}
	c.compute(s)
	if c.route != nil {
		k := c.spec.Kernel * c.spec.Kernel
		d.kernel(op, "to_nchw", c.route.gradient).ptr(dw.(*tensor).at(), driver.Pointer(c.pointers[dnn.DW]), 0, 0).
			num(c.spec.OutC, c.spec.InC, k, c.spec.InC, 1).over(c.spec.OutC, k*c.spec.InC)
	}
}

// biasGrad adds the sums of dy over all pixels to db.
func (c *conv) biasGrad(op string, db, dy *tensor) {
	d, pixels := c.d, dy.n/c.spec.OutC
	count := kernels.PixelParts(pixels)
	parts := d.reserve(op, partial, int64(count*c.spec.OutC)*word)
	from, held := d.held(op, dy)
	d.kernel(op, "bias_grad_parts", held).ptr(parts, from).num(pixels, c.spec.OutC).over(pixels, c.spec.OutC)
	d.kernel(op, "bias_grad", single).ptr(db.at(), parts).num(count, c.spec.OutC).over(c.spec.OutC)
}

// begin starts a computation with the parameters in the given storage.
func (c *conv) begin(op string, held storage) {
	c.op, c.route, c.pointers = op, nil, dnn.Pointers{}
	c.pointers[dnn.W], c.pointers[dnn.Bias] = c.parameters(op, held)
	if c.d.chain != nil {
		c.d.chain.convs[c] = held
	}
}

// read notes the address of an operand, if it is given.
func (c *conv) read(at dnn.Place, t *tensor, held storage, s slot) {
	if t != nil {
		c.pointers[at] = uintptr(c.d.as(c.op, t, held, s))
	}
}

// assign notes the address of a result, if it is asked for.
func (c *conv) assign(at dnn.Place, t *tensor, held storage) {
	if t != nil {
		c.pointers[at] = uintptr(c.d.assign(c.op, t, held))
	}
}

// compute finds the route for a spec and takes it.
func (c *conv) compute(s dnn.Spec) {
	for _, p := range c.pointers {
		for p%uintptr(s.Alignment) != 0 {
			s.Alignment /= 2
		}
	}
	if c.route = c.find(c.op, s); c.route != nil {
		c.follow(s)
	}
}

// follow makes the computation by the route.
func (c *conv) follow(s dnn.Spec) {
	c.work = 0
	if n := c.route.plan.Workspace(); n > 0 {
		c.work = c.d.reserve(c.op, workspace, n)
	}
	if c.route.fused {
		c.d.run(c.op, c.enqueue)
		return
	}
	c.unfused(s)
}
