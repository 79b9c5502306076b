//go:build cuda && linux && amd64

package cuda

import (
	"jem/backend"
	"jem/backend/philox"
)

// alike checks that all tensors are of floats, one kind and one shape, and returns the first.
func alike(op string, ts ...backend.Tensor) *tensor {
	for _, t := range ts {
		ours(op, t)
	}
	backend.SameShape(op, ts...)
	return ts[0].(*tensor)
}

// LeakyReLU implements backend.Pointwise.
func (d *Device) LeakyReLU(y, x backend.Tensor, slope float32) {
	const op = "LeakyReLU"
	t, from := alike(op, y, x), d.in(op, x)
	d.kernel(op, "leaky_relu", single).ptr(d.write(op, t), from).num(t.n).float(slope).over(t.n)
}

// LeakyReLUGrad implements backend.Pointwise.
func (d *Device) LeakyReLUGrad(dx, dy, y backend.Tensor, slope float32) {
	const op = "LeakyReLUGrad"
	t, grad, act := alike(op, dx, dy, y), d.in(op, dy), d.in(op, y)
	d.kernel(op, "leaky_relu_grad", single).ptr(d.write(op, t), grad, act).num(t.n).float(slope).over(t.n)
}

// Axpy implements backend.Pointwise.
func (d *Device) Axpy(y backend.Tensor, a float32, x backend.Tensor) {
	const op = "Axpy"
	t := alike(op, y, x)
	from, to := d.in(op, x), d.read(op, t)
	d.kernel(op, "axpy", single).ptr(to, from).num(t.n).float(a).over(t.n)
}

// AxpySquared implements backend.Pointwise.
func (d *Device) AxpySquared(y backend.Tensor, a float32, x backend.Tensor) {
	const op = "AxpySquared"
	t := alike(op, y, x)
	from, to := d.in(op, x), d.read(op, t)
	d.kernel(op, "axpy_squared", single).ptr(to, from).num(t.n).float(a).over(t.n)
}

// Lerp implements backend.Pointwise.
func (d *Device) Lerp(y, x backend.Tensor, v float32) {
	const op = "Lerp"
	t := alike(op, y, x)
	from, to := d.in(op, x), d.read(op, t)
	d.kernel(op, "lerp", single).ptr(to, from).num(t.n).float(v).over(t.n)
}

// Clamp implements backend.Pointwise.
func (d *Device) Clamp(x backend.Tensor, lo, hi float32) {
	const op = "Clamp"
	t := ours(op, x)
	at := d.read(op, t)
	d.kernel(op, "clamp", single).ptr(at).num(t.n).float(lo, hi).over(t.n)
}

// Dropout implements backend.Pointwise.
func (d *Device) Dropout(dst, src backend.Tensor, key philox.Key, rate float32) {
	const op = "Dropout"
	t, from := alike(op, dst, src), d.in(op, src)
	c, hw := t.logical()
	d.kernel(op, "dropout", single).ptr(d.write(op, t), from).num(t.n, c, hw).float(rate, 1/(1-rate)).stream(key).over(t.n, c, hw)
}
