//go:build cuda && linux && amd64

package cuda

import (
	"math"

	"jem/backend"
)

// SignStep implements backend.Update. As in SGLDStep, a gradient that a chain left in bfloat16 is taken as
// it is.
func (d *Device) SignStep(x, grad backend.Tensor, a float32) {
	const op = "SignStep"
	t := alike(op, x, grad)
	from, held := d.held(op, grad.(*tensor))
	d.kernel(op, "sign_step", held).ptr(d.read(op, t), from).num(t.n).float(a).over(t.n)
}

// UnitStep implements backend.Update, with gradients as in SignStep.
func (d *Device) UnitStep(x, grad backend.Tensor, a float32) {
	const op = "UnitStep"
	t := alike(op, x, grad)
	from, held := d.held(op, grad.(*tensor))
	rows := t.shape[0]
	d.kernel(op, "unit_step", held).ptr(d.read(op, t), from).num(rows, t.n/rows).float(a).over(rows)
}

// Project implements backend.Update.
func (d *Device) Project(x, centre backend.Tensor, b backend.Ball) {
	const op = "Project"
	b.Check(x, centre)
	t, c := alike(op, x, centre), d.in(op, centre)
	at, lo, hi := d.read(op, t), b.Lo, b.Hi
	if !b.Ranged() {
		lo, hi = float32(math.Inf(-1)), float32(math.Inf(1))
	}
	if b.Norm == backend.LInf {
		d.kernel(op, "project_box", single).ptr(at, c).num(t.n).float(b.Radius, lo, hi).over(t.n)
		return
	}
	rows := t.shape[0]
	d.kernel(op, "project_sphere", single).ptr(at, c).num(rows, t.n/rows).float(b.Radius, lo, hi).over(rows)
}
