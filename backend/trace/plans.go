package trace

import "jem/backend"

// conv is a plan that computes nothing.
type conv struct {
	dev  *Device
	spec backend.ConvSpec
	w, b backend.Tensor
}

// NewConv implements backend.Planner.
func (d *Device) NewConv(spec backend.ConvSpec, w, b backend.Tensor) backend.Conv {
	d.takeConv(spec)
	return &conv{d, spec, w, b}
}

// ParamsChanged implements backend.Planner.
func (d *Device) ParamsChanged() { d.note("ParamsChanged", nil, nil) }

func (c *conv) Spec() backend.ConvSpec { return c.spec }

func (c *conv) Algorithms() (forward, inputGrad, paramGrad string) { return "none", "none", "none" }

func (c *conv) note(op string, n int, call ConvCall, writes, reads operands) {
	call.Spec = c.spec
	call.Spec.N = n
	c.dev.add(Call{Op: "Conv." + op, Reads: reads, Writes: writes, Conv: &call, plan: c})
}

func (c *conv) Forward(raw, act, x, residual backend.Tensor) {
	c.note("Forward", x.Shape()[0], ConvCall{Bias: c.b != nil, Residual: residual != nil, Raw: raw != nil, Act: act != nil},
		some(raw, act), some(x, c.w, c.b, residual))
}

func (c *conv) InputGrad(dx, dy, act, residual backend.Tensor) {
	c.note("InputGrad", dy.Shape()[0], ConvCall{Residual: residual != nil, Act: act != nil},
		some(dx), some(dy, c.w, act, residual))
}

func (c *conv) ParamGrad(dw, db, x, dy backend.Tensor) {
	c.note("ParamGrad", x.Shape()[0], ConvCall{Bias: db != nil}, some(dw, db), some(dw, db, x, dy))
}

// norm is a normalisation that computes nothing.
type norm struct {
	dev  *Device
	kind backend.NormKind
}

// NewNorm implements backend.Planner.
func (d *Device) NewNorm(s backend.NormSpec, _, _, _, _ ts) backend.Norm { return norm{d, s.Kind} }

func (n norm) note(op string, writes, reads operands, couples bool) {
	n.dev.add(Call{Op: "Norm." + op, Reads: reads, Writes: writes, Norm: true, Couples: couples})
}

func (n norm) Forward(y, x backend.Tensor, mode backend.NormMode) {
	n.note("Forward", some(y), some(x), mode.Couples(n.kind))
}

func (n norm) InputGrad(dx, dy, x backend.Tensor) {
	n.note("InputGrad", some(dx), some(dy, x), false)
}

func (n norm) ParamGrad(dgamma, dbeta, x, dy backend.Tensor) {
	n.note("ParamGrad", some(dgamma, dbeta), some(dgamma, dbeta, x, dy), false)
}
