package cpu

import (
	"jem/backend"
	"jem/backend/philox"
)

// LeakyReLU implements backend.Pointwise.
func (d *Device) LeakyReLU(y, x backend.Tensor, slope float32) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.LeakyReLU(t[0], t[1], slope) }, out(y), in(x))
		return
	}
	e := d.onElements("LeakyReLU", y, x)
	e.a = slope
	d.runElements(e, func(e *elements, lo, hi int) {
		e.k.LeakyReLU(e.v[0][lo:hi], e.v[1][lo:hi], e.a)
	})
}

// LeakyReLUGrad implements backend.Pointwise.
func (d *Device) LeakyReLUGrad(dx, dy, y backend.Tensor, slope float32) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.LeakyReLUGrad(t[0], t[1], t[2], slope) }, out(dx), in(dy), in(y))
		return
	}
	e := d.onElements("LeakyReLUGrad", dx, dy, y)
	e.a = slope
	d.runElements(e, func(e *elements, lo, hi int) {
		e.k.LeakyReLUGrad(e.v[0][lo:hi], e.v[1][lo:hi], e.v[2][lo:hi], e.a)
	})
}

// Axpy implements backend.Pointwise.
func (d *Device) Axpy(y backend.Tensor, a float32, x backend.Tensor) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.Axpy(t[0], a, t[1]) }, inout(y), in(x))
		return
	}
	e := d.onElements("Axpy", y, x)
	e.a = a
	d.runElements(e, func(e *elements, lo, hi int) {
		e.k.Axpy(e.v[0][lo:hi], e.v[1][lo:hi], e.a)
	})
}

// AxpySquared implements backend.Pointwise.
func (d *Device) AxpySquared(y backend.Tensor, a float32, x backend.Tensor) {
	d.now()
	e := d.onElements("AxpySquared", y, x)
	e.a = a
	d.runElements(e, func(e *elements, lo, hi int) { e.k.AxpySquared(e.v[0][lo:hi], e.v[1][lo:hi], e.a) })
}

// Lerp implements backend.Pointwise.
func (d *Device) Lerp(y, x backend.Tensor, t float32) {
	d.now()
	e := d.onElements("Lerp", y, x)
	e.a = t
	d.runElements(e, func(e *elements, lo, hi int) {
		e.k.Lerp(e.v[0][lo:hi], e.v[1][lo:hi], e.a)
	})
}

// Clamp implements backend.Pointwise.
func (d *Device) Clamp(x backend.Tensor, lo, hi float32) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.Clamp(t[0], lo, hi) }, inout(x))
		return
	}
	if t := x.(*tensor); t.geom.blocked && !(lo <= 0 && 0 <= hi) {
		d.runPixels(t, lo, hi, func(p *pixels, run []float32) { p.k.Clamp(run, p.a, p.b) })
		return
	}
	e := d.onElements("Clamp", x)
	e.a, e.b = lo, hi
	d.runElements(e, func(e *elements, lo, hi int) { e.k.Clamp(e.v[0][lo:hi], e.a, e.b) })
}

// Fill implements backend.Memory.
func (d *Device) Fill(dst backend.Tensor, v float32) {
	d.now()
	t := dst.(*tensor)
	t.settle()
	switch {
	case t.kind == backend.Index:
		for i := range t.index {
			t.index[i] = int32(v)
		}
	case t.geom.blocked && v != 0:
		d.runPixels(t, v, 0, func(p *pixels, run []float32) { fill(run, p.a) })
	default:
		e := d.onElements("Fill", dst)
		e.a = v
		d.runElements(e, func(e *elements, lo, hi int) { fill(e.v[0][lo:hi], e.a) })
	}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// Dropout implements backend.Pointwise. Element i is kept where number i of the stream,
// in [0,1), is at least rate.
func (d *Device) Dropout(dst, src backend.Tensor, key philox.Key, rate float32) {
	backend.SameShape("Dropout", dst, src)
	d.reserveStream(dst)
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.Dropout(t[0], t[1], key, rate) }, out(dst), in(src)).drawn = dst.(*tensor)
		return
	}
	s := d.onStream("Dropout", dst, src, key)
	s.a, s.b = rate, 1/(1-rate)
	d.runStream(s, func(s *streamed, dst, src, u []float32, block uint64) {
		s.k.Uniform(u, &s.stream, block, 0, 1)
		s.k.Drop(dst, src, u, s.a, s.b)
	})
}
