//go:build cuda && linux && amd64

package cuda

import (
	"fmt"

	"jem/backend"
	"jem/cuda/internal/dnn"
	"jem/cuda/internal/driver"
	"jem/kernels"
)

// conv is the device's backend.Conv. It checks operands, finds their addresses in the storage
// that the precision asks for, and hands them to a route, see route.go.
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
	const op = "NewConv"
	kh, kw := spec.Window()
	ph, pw := spec.Padding()
	if spec.N < 1 || spec.InC < 1 || spec.OutC < 1 || kh < 1 || kw < 1 || kh%2 == 0 || kw%2 == 0 || spec.Stride < 1 ||
		ph < 0 || pw < 0 || spec.H+2*ph < kh || spec.W+2*pw < kw || spec.KernelW != 0 && !(spec.NoInputGrad && spec.NoParamGrad) {
		panic(fmt.Sprintf("backend: NewConv: %+v is no convolution", spec))
	}
	backend.CheckShape(op, w, backend.Dense, spec.OutC, spec.InC, kh, kw)
	c := &conv{d: d, spec: spec, w: w.(*tensor), routes: map[dnn.Spec]*route{}}
	if b != nil {
		backend.CheckShape(op, b, backend.Dense, spec.OutC)
		c.b = b.(*tensor)
	}
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

// image returns t after checking that it is a batch of n images; a nil t gives nil.
func image(op string, t backend.Tensor, n, c, h, w int) *tensor {
	if t == nil {
		return nil
	}
	if s := t.Shape(); t.Kind() != backend.Image || s[0] != n || s[1] != c || s[2] != h || s[3] != w {
		backend.CheckShape(op, t, backend.Image, n, c, h, w)
	}
	return t.(*tensor)
}

func (c *conv) x(op string, t backend.Tensor, n int) *tensor {
	return image(op, t, n, c.spec.InC, c.spec.H, c.spec.W)
}

func (c *conv) y(op string, t backend.Tensor, n int) *tensor {
	return image(op, t, n, c.spec.OutC, c.spec.OutH(), c.spec.OutW())
}

// Forward implements backend.Conv.
func (c *conv) Forward(raw, act, x, residual backend.Tensor) {
	const op = "Conv.Forward"
	if raw == nil && act == nil || x == nil {
		backend.Mismatch(op, raw, act, x, residual)
	}
	n := x.Shape()[0]
	tx, tr, ta, ts := c.x(op, x, n), c.y(op, raw, n), c.y(op, act, n), c.y(op, residual, n)
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
	if dx == nil || dy == nil || c.spec.NoInputGrad {
		backend.Mismatch(op, dx, dy, act, residual)
	}
	n := dy.Shape()[0]
	ty, tx, ta, ts := c.y(op, dy, n), c.x(op, dx, n), c.x(op, act, n), c.x(op, residual, n)
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
	if dw == nil || x == nil || dy == nil || c.spec.NoParamGrad {
		backend.Mismatch(op, dw, db, x, dy)
	}
	backend.SameShape(op, dw, c.w)
	n, d := x.Shape()[0], c.d
	tx, ty := c.x(op, x, n), c.y(op, dy, n)
	if db != nil && (db.Kind() != backend.Dense || backend.Len(db) != c.spec.OutC) {
		backend.CheckShape(op, db, backend.Dense, c.spec.OutC)
	}
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
