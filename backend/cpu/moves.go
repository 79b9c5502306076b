package cpu

import (
	"math"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// SignStep implements backend.Update.
func (d *Device) SignStep(x, grad backend.Tensor, a float32) {
	if r := d.recording; r != nil {
		backend.SameShape("SignStep", x, grad)
		r.add(apart, func(d *Device, t []backend.Tensor) { d.SignStep(t[0], t[1], a) }, inout(x), in(grad))
		return
	}
	e := d.onElements("SignStep", x, grad)
	e.a = a
	d.runElements(e, func(e *elements, lo, hi int) { e.k.Sign(e.v[0][lo:hi], e.v[1][lo:hi], e.a) })
}

// UnitStep implements backend.Update.
func (d *Device) UnitStep(x, grad backend.Tensor, a float32) {
	if r := d.recording; r != nil {
		backend.SameShape("UnitStep", x, grad)
		r.add(apart, func(d *Device, t []backend.Tensor) { d.UnitStep(t[0], t[1], a) }, inout(x), in(grad))
		return
	}
	m := d.onImages("UnitStep", x, grad)
	m.length = float64(a)
	m.op = func(m *images, x, g []float32) {
		if norm := math.Sqrt(m.k.SumSquares(g)); norm != 0 {
			m.each(x, g, along, m.length/norm)
		}
	}
	d.workers.run(m.x.shape[0], m)
}

// Project implements backend.Update.
func (d *Device) Project(x, centre backend.Tensor, b backend.Ball) {
	b.Check(x, centre)
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.Project(t[0], t[1], b) }, inout(x), in(centre))
		return
	}
	inf := float32(math.Inf(1))
	limits := asm.Box{Radius: b.Radius, Lo: b.Lo, Hi: b.Hi}
	if !b.Ranged() {
		limits.Lo, limits.Hi = -inf, inf
	}
	if b.Norm == backend.L2 {
		d.ontoSphere(x, centre, b.Radius)
		if !b.Ranged() {
			return
		}
		limits.Radius = inf
	}
	e := d.onElements("Project", x, centre)
	e.box = limits
	d.runElements(e, func(e *elements, lo, hi int) { e.k.Box(e.v[0][lo:hi], e.v[1][lo:hi], &e.box) })
}

// ontoSphere moves images that are farther from their centres than the radius to that distance.
func (d *Device) ontoSphere(x, centre backend.Tensor, radius float32) {
	m := d.onImages("Project", x, centre)
	m.length = float64(radius)
	m.op = func(m *images, x, c []float32) {
		if norm := distance(x, c); !(norm <= m.length) {
			m.each(x, c, towards, m.length/norm)
		}
	}
	d.workers.run(m.x.shape[0], m)
}

// along moves x by s·g.
func along(x, g []float32, s float64) {
	for i, v := range g[:len(x)] {
		x[i] = float32(float64(x[i]) + s*float64(v))
	}
}

// towards moves x to s times its distance from c.
func towards(x, c []float32, s float64) {
	for i, v := range c[:len(x)] {
		x[i] = float32(float64(v) + s*(float64(x[i])-float64(v)))
	}
}

// distance is ‖x−c‖₂ in float64, where differences of float32 neither overflow nor vanish.
func distance(x, c []float32) float64 {
	var sum float64
	for i, v := range c[:len(x)] {
		d := float64(x[i]) - float64(v)
		sum += d * d
	}
	return math.Sqrt(sum)
}

// images is an operation on one image of two tensors after the other: a part is an image. Sums
// over one run through its memory in order, zeros of the halo included.
type images struct {
	k      *asm.Pointwise
	op     func(m *images, x, y []float32)
	x, y   *tensor
	length float64
}

func (m *images) part(i, _ int) {
	n := m.x.perRow()
	m.op(m, m.x.data[i*n:][:n], m.y.data[i*n:][:n])
}

func (d *Device) onImages(op string, x, y backend.Tensor) *images {
	backend.SameShape(op, x, y)
	floats(op, x)
	floats(op, y)
	d.images = images{k: &d.kernels, x: x.(*tensor), y: y.(*tensor)}
	return &d.images
}

// each moves the valid pixels and channels of an image: a NaN must not get into the halo.
func (m *images) each(x, y []float32, move func(x, y []float32, s float64), s float64) {
	g := &m.x.geom
	if !g.blocked {
		move(x, y, s)
		return
	}
	for b := range g.blocks {
		for h := range g.h {
			lo := b*g.plane + g.origin + h*g.row
			for w := range g.w {
				at, lanes := lo+w*block, g.lanes(b)
				move(x[at:][:lanes], y[at:][:lanes], s)
			}
		}
	}
}
