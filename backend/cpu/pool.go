package cpu

import "jem/backend"

// AvgPool implements backend.Head.
func (d *Device) AvgPool(y, x backend.Tensor) {
	g := poolShape("AvgPool", y, x)
	op := (*rowwise).poolPlanar
	if g.blocked {
		op = (*rowwise).poolBlocked
	}
	d.runRows(x.Shape()[0], rowwise{dst: floats("AvgPool", y), a: floats("AvgPool", x), g: g, op: op})
}

// poolShape checks y Dense (N,C) against x Image (N,C,H,W) and returns x's geometry.
func poolShape(op string, y, x backend.Tensor) geometry {
	xs, ys := x.Shape(), y.Shape()
	if x.Kind() != backend.Image || y.Kind() != backend.Dense || len(ys) != 2 || ys[0] != xs[0] || ys[1] != xs[1] {
		backend.Mismatch(op, y, x)
	}
	return x.(*tensor).geom
}

func (r *rowwise) poolBlocked(n int) {
	scale := 1 / float32(r.g.h*r.g.w)
	y := r.dst[n*r.g.c:][:r.g.c]
	for b := range r.g.blocks {
		var sum [block]float32
		// From the first pixel to the end of the plane: the halo in between is zero.
		r.k.PixelSum(&sum, r.a[n*r.g.image+b*r.g.plane:][r.g.origin:r.g.plane])
		for c, s := range sum[:r.g.lanes(b)] {
			y[b*block+c] = s * scale
		}
	}
}

func (r *rowwise) poolPlanar(n int) {
	for c := range r.g.c {
		var sum float64
		for _, v := range r.a[n*r.g.image+c*r.g.plane:][:r.g.plane] {
			sum += float64(v)
		}
		r.dst[n*r.g.c+c] = float32(sum / float64(r.g.plane))
	}
}

// AvgPoolGrad implements backend.Head.
func (d *Device) AvgPoolGrad(dx, dy, act backend.Tensor, slope float32) {
	g := poolShape("AvgPoolGrad", dy, dx)
	r := rowwise{dst: floats("AvgPoolGrad", dx), a: floats("AvgPoolGrad", dy), slope: slope, g: g}
	if act != nil {
		backend.SameShape("AvgPoolGrad", dx, act)
		r.b = floats("AvgPoolGrad", act)
	}
	r.op = (*rowwise).spreadPlanar
	if g.blocked {
		r.op = (*rowwise).spreadBlocked
	}
	d.runRows(dx.Shape()[0], r)
}

func (r *rowwise) spreadBlocked(n int) {
	scale := 1 / float32(r.g.h*r.g.w)
	for b := range r.g.blocks {
		var grad [block]float32
		for c := range r.g.lanes(b) {
			grad[c] = r.a[n*r.g.c+b*block+c] * scale
		}
		for h := range r.g.h {
			off := n*r.g.image + b*r.g.plane + r.g.origin + h*r.g.row
			r.spreadRow(off, &grad)
		}
	}
}

func (r *rowwise) spreadRow(off int, grad *[block]float32) {
	row := r.dst[off:][:r.g.w*block]
	if r.b != nil {
		r.k.PixelGrad(row, r.b[off:][:len(row)], grad, r.slope)
		return
	}
	for ; len(row) > 0; row = row[block:] {
		copy(row, grad[:])
	}
}

func (r *rowwise) spreadPlanar(n int) {
	for c := range r.g.c {
		off := n*r.g.image + c*r.g.plane
		plane := r.dst[off:][:r.g.plane]
		fill(plane, r.a[n*r.g.c+c]/float32(r.g.plane))
		if r.b != nil {
			r.k.LeakyReLUGrad(plane, plane, r.b[off:][:r.g.plane], r.slope)
		}
	}
}
