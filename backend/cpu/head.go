package cpu

import (
	"math"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// rowwise is an operation whose part is one row: a sample, or a row of the weights.
// dst, a, b, c are the operations' operands; see each.
type rowwise struct {
	k              *asm.Pointwise
	op             func(r *rowwise, i int)
	dst, a, b, c   []float32
	labels         []int32
	rows, in, outs int // samples N, features D, classes K
}

func (r *rowwise) part(i, _ int) { r.op(r, i) }

func (d *Device) runRows(parts int, r rowwise) {
	r.k = &d.kernels
	d.rowwise = r
	d.workers.run(parts, &d.rowwise)
}

// Linear implements backend.Head.
func (d *Device) Linear(y, x, w, b backend.Tensor) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.Linear(t[0], t[1], t[2], t[3]) }, out(y), in(x), shared(w), shared(b))
		return
	}
	n, inputs, outs := linearShape("Linear", x, y, w, b)
	d.runRows(n, rowwise{
		dst: floats("Linear", y), a: floats("Linear", x), b: floats("Linear", w), c: floats("Linear", b),
		rows: n, in: inputs, outs: outs,
		op: func(r *rowwise, n int) {
			x := r.a[n*r.in:][:r.in]
			for k := range r.outs {
				r.dst[n*r.outs+k] = r.k.Dot(x, r.b[k*r.in:][:r.in]) + r.c[k]
			}
		},
	})
}

// LinearInputGrad implements backend.Head.
func (d *Device) LinearInputGrad(dx, dy, w backend.Tensor) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.LinearInputGrad(t[0], t[1], t[2]) }, out(dx), in(dy), shared(w))
		return
	}
	n, inputs, outs := linearShape("LinearInputGrad", dx, dy, w, nil)
	d.runRows(n, rowwise{
		dst: floats("LinearInputGrad", dx), a: floats("LinearInputGrad", dy), b: floats("LinearInputGrad", w),
		rows: n, in: inputs, outs: outs,
		op: func(r *rowwise, n int) {
			dx := r.dst[n*r.in:][:r.in]
			clear(dx)
			for k, g := range r.a[n*r.outs:][:r.outs] {
				r.k.Axpy(dx, r.b[k*r.in:][:r.in], g)
			}
		},
	})
}

// LinearParamGrad implements backend.Head. A part is one class; its sum runs over the
// samples in order.
func (d *Device) LinearParamGrad(dw, db, x, dy backend.Tensor) {
	if r := d.recording; r != nil {
		r.add(sums, func(d *Device, t []backend.Tensor) { d.LinearParamGrad(t[0], t[1], t[2], t[3]) }, total(dw), total(db), in(x), in(dy))
		return
	}
	n, inputs, outs := linearShape("LinearParamGrad", x, dy, dw, db)
	d.runRows(outs, rowwise{
		dst: floats("LinearParamGrad", dw), a: floats("LinearParamGrad", x),
		b: floats("LinearParamGrad", dy), c: floats("LinearParamGrad", db),
		rows: n, in: inputs, outs: outs,
		op: func(r *rowwise, k int) {
			dw := r.dst[k*r.in:][:r.in]
			var sum float64
			for n := range r.rows {
				g := r.b[n*r.outs+k]
				sum += float64(g)
				r.k.Axpy(dw, r.a[n*r.in:][:r.in], g)
			}
			r.c[k] += float32(sum)
		},
	})
}

// linearShape checks x (N,D), y (N,K), w (K,D) and, where not nil, b (K).
func linearShape(op string, x, y, w, b backend.Tensor) (n, in, outs int) {
	xs, ys, ws := x.Shape(), y.Shape(), w.Shape()
	if len(xs) != 2 || len(ys) != 2 || len(ws) != 2 || xs[0] != ys[0] || ws[0] != ys[1] || ws[1] != xs[1] ||
		x.Kind() != backend.Dense || y.Kind() != backend.Dense || w.Kind() != backend.Dense ||
		b != nil && !isVector(b, ys[1]) {
		backend.Mismatch(op, x, y, w, b)
	}
	return xs[0], xs[1], ys[1]
}

// isVector reports whether t is Dense (n).
func isVector(t backend.Tensor, n int) bool {
	return t.Kind() == backend.Dense && len(t.Shape()) == 1 && t.Shape()[0] == n
}

// RowNorm implements backend.Head.
func (d *Device) RowNorm(dst, x backend.Tensor) {
	if r := d.recording; r != nil {
		r.add(apart, func(d *Device, t []backend.Tensor) { d.RowNorm(t[0], t[1]) }, out(dst), in(x))
		return
	}
	t := x.(*tensor)
	t.settle()
	n := t.shape[0]
	if !isVector(dst, n) {
		backend.Mismatch("RowNorm", dst, x)
	}
	size := t.geom.image // a row of an image holds zeros besides its pixels
	if t.kind == backend.Dense {
		size = len(t.data) / n
	}
	d.runRows(n, rowwise{
		dst: floats("RowNorm", dst), a: floats("RowNorm", x), in: size,
		op: func(r *rowwise, n int) {
			r.dst[n] = float32(math.Sqrt(r.k.SumSquares(r.a[n*r.in:][:r.in])))
		},
	})
}

// SumSquares implements backend.Head. Parts and the order of their sum depend on the
// size alone.
func (d *Device) SumSquares(dst, x backend.Tensor) {
	d.now()
	d.total("SumSquares", dst, d.onElements("SumSquares", x), func(e *elements, lo, hi int) float64 {
		return e.k.SumSquares(e.v[0][lo:hi])
	})
}

// ProductSquares implements backend.Head, as SumSquares.
func (d *Device) ProductSquares(dst, x, y backend.Tensor) {
	d.now()
	d.total("ProductSquares", dst, d.onElements("ProductSquares", x, y), func(e *elements, lo, hi int) float64 {
		return e.k.ProductSquares(e.v[0][lo:hi], e.v[1][lo:hi])
	})
}

// total writes the sum over all elements to dst.
func (d *Device) total(op string, dst backend.Tensor, e *elements, sum func(e *elements, lo, hi int) float64) {
	if !isVector(dst, 1) {
		backend.Mismatch(op, dst)
	}
	e.sum, e.sums = sum, d.scratch.partial(chunks(len(e.v[0])))
	d.runElements(e, func(e *elements, lo, hi int) { e.sums[lo/chunk] = e.sum(e, lo, hi) })
	var all float64
	for _, s := range e.sums {
		all += s
	}
	floats(op, dst)[0] = float32(all)
}
