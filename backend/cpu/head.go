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
