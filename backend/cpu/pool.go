package cpu

import (
	"jem/backend"
	"jem/backend/cpu/asm"
)

// pooling is the average over pixels and its gradient. A part is one image.
type pooling struct {
	k       *asm.Pointwise
	op      func(p *pooling, n int, lanes *[block]float32)
	y       []float32 // (N,C): the averages or their gradient
	x, act  []float32 // images
	g       geometry
	slope   float32
	scratch *scratch
}

func (p *pooling) part(n, worker int) {
	p.op(p, n, (*[block]float32)(p.scratch.worker[worker]))
}

// onPooling checks y Dense (N,C) against x Image (N,C,H,W) and prepares the region.
func (d *Device) onPooling(op string, y, x backend.Tensor) *pooling {
	xs, ys := x.Shape(), y.Shape()
	if x.Kind() != backend.Image || y.Kind() != backend.Dense || len(ys) != 2 || ys[0] != xs[0] || ys[1] != xs[1] {
		backend.Mismatch(op, y, x)
	}
	d.pooling = pooling{k: &d.kernels, y: floats(op, y), x: floats(op, x), g: x.(*tensor).geom, scratch: d.scratch}
	return &d.pooling
}

// AvgPool implements backend.Head.
func (d *Device) AvgPool(y, x backend.Tensor) {
	d.scratch.reserve(block)
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.AvgPool(t[0], t[1]) }, out(y), in(x))
		return
	}
	p := d.onPooling("AvgPool", y, x)
	p.op = (*pooling).averagePlanar
	if p.g.blocked {
		p.op = (*pooling).averageBlocked
	}
	d.workers.run(x.Shape()[0], p)
}

func (p *pooling) averageBlocked(n int, lanes *[block]float32) {
	scale := 1 / float32(p.g.h*p.g.w)
	y := p.y[n*p.g.c:][:p.g.c]
	for b := range p.g.blocks {
		// From the first pixel to the end of the plane: the halo in between is zero.
		p.k.PixelSum(lanes, p.x[n*p.g.image+b*p.g.plane:][p.g.origin:p.g.plane])
		for c, s := range lanes[:p.g.lanes(b)] {
			y[b*block+c] = s * scale
		}
	}
}

func (p *pooling) averagePlanar(n int, _ *[block]float32) {
	for c := range p.g.c {
		var sum float64
		for _, v := range p.x[n*p.g.image+c*p.g.plane:][:p.g.plane] {
			sum += float64(v)
		}
		p.y[n*p.g.c+c] = float32(sum / float64(p.g.plane))
	}
}

// AvgPoolGrad implements backend.Head.
func (d *Device) AvgPoolGrad(dx, dy, act backend.Tensor, slope float32) {
	d.scratch.reserve(block)
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.AvgPoolGrad(t[0], t[1], t[2], slope) }, out(dx), in(dy), in(act))
		return
	}
	p := d.onPooling("AvgPoolGrad", dy, dx)
	p.slope = slope
	if act != nil {
		backend.SameShape("AvgPoolGrad", dx, act)
		p.act = floats("AvgPoolGrad", act)
	}
	p.op = (*pooling).spreadPlanar
	if p.g.blocked {
		p.op = (*pooling).spreadBlocked
	}
	d.workers.run(dx.Shape()[0], p)
}

func (p *pooling) spreadBlocked(n int, lanes *[block]float32) {
	scale := 1 / float32(p.g.h*p.g.w)
	for b := range p.g.blocks {
		*lanes = [block]float32{}
		for c := range p.g.lanes(b) {
			lanes[c] = p.y[n*p.g.c+b*block+c] * scale
		}
		for h := range p.g.h {
			p.spreadRow(n*p.g.image+b*p.g.plane+p.g.origin+h*p.g.row, lanes)
		}
	}
}

func (p *pooling) spreadRow(off int, lanes *[block]float32) {
	row := p.x[off:][:p.g.w*block]
	if p.act != nil {
		p.k.PixelGrad(row, p.act[off:][:len(row)], lanes, p.slope)
		return
	}
	for ; len(row) > 0; row = row[block:] {
		copy(row, lanes[:])
	}
}

func (p *pooling) spreadPlanar(n int, _ *[block]float32) {
	for c := range p.g.c {
		off := n*p.g.image + c*p.g.plane
		plane := p.x[off:][:p.g.plane]
		fill(plane, p.y[n*p.g.c+c]/float32(p.g.plane))
		if p.act != nil {
			p.k.LeakyReLUGrad(plane, plane, p.act[off:][:p.g.plane], p.slope)
		}
	}
}
