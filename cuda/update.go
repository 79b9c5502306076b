//go:build cuda && linux && amd64

package cuda

import (
	"fmt"
	"math"

	"jem/backend"
	"jem/backend/philox"
)

// SGLDStep implements backend.Update. A gradient that a chain left in bfloat16 is taken as it is.
func (d *Device) SGLDStep(x, grad backend.Tensor, key philox.Key, p backend.SGLD) {
	const op = "SGLDStep"
	t, g := alike(op, x, grad), grad.(*tensor)
	inf := float32(math.Inf(1))
	clip, lo, hi := p.GradClip, p.Lo, p.Hi
	if clip == 0 {
		clip = inf
	}
	if lo == 0 && hi == 0 {
		lo, hi = -inf, inf
	}
	from, held := g.at(), half
	if !g.isHalf() {
		from, held = d.read(op, g), single
	}
	to := d.read(op, t)
	c, hw := t.logical()
	d.kernel(op, "sgld", held).ptr(to, from, 0).num(t.n, c, hw, c).float(p.StepSize, p.Noise, clip, lo, hi).stream(key).over(t.n, c, hw)
}

// GatherRows implements backend.Update.
func (d *Device) GatherRows(dst, src, rows backend.Tensor) {
	const op = "GatherRows"
	t, s, index := d.rowMoves(op, dst, src, rows)
	n := index.shape[0]
	from := d.read(op, s)
	if t.kind == backend.Image {
		d.toImage(op, t, d.write(op, t), from, 0, index.at(), n)
		return
	}
	row := t.n / n
	d.kernel(op, "to_nhwc", single).ptr(d.write(op, t), from, 0, index.at()).num(n, 1, row, 1).over(n, row)
}

// ScatterRows implements backend.Update.
func (d *Device) ScatterRows(dst, src, rows backend.Tensor) {
	const op = "ScatterRows"
	s, t, index := d.rowMoves(op, src, dst, rows)
	n := index.shape[0]
	from, to := d.read(op, s), d.read(op, t)
	if s.kind == backend.Image {
		d.fromImage(op, s, to, from, index.at(), 0, n)
		return
	}
	row := s.n / n
	d.kernel(op, "to_nchw", single).ptr(to, from, index.at(), 0).num(n, 1, row, 1, 0).over(n, row)
}

// rowMoves checks the operands of a gather: few is any kind with a row for each of rows, all
// is Dense, with rows as long.
func (d *Device) rowMoves(op string, few, all, rows backend.Tensor) (f, a, index *tensor) {
	if few == nil || few.Kind() == backend.Index || all == nil || all.Kind() != backend.Dense || rows == nil || rows.Kind() != backend.Index {
		backend.Mismatch(op, few, all, rows)
	}
	f, a, index = few.(*tensor), all.(*tensor), rows.(*tensor)
	if f.shape[0] != index.shape[0] || f.n/f.shape[0] != a.n/a.shape[0] {
		backend.Mismatch(op, few, all, rows)
	}
	return f, a, index
}

// AdamStep implements backend.Update.
func (d *Device) AdamStep(p, g, m, v backend.Tensor, h backend.Adam) {
	const op = "AdamStep"
	if h.Step < 1 {
		panic(fmt.Sprintf("backend: AdamStep: step %d, the first is 1", h.Step))
	}
	t := alike(op, p, g, m, v)
	// In float64: 1 − β₂^t is a difference of nearly equal numbers.
	b1, b2, step := float64(h.Beta1), float64(h.Beta2), float64(h.Step)
	rate, root := float64(h.LR)/(1-math.Pow(b1, step)), 1/math.Sqrt(1-math.Pow(b2, step))
	d.kernel(op, "adam", single).ptr(d.in(op, p), d.in(op, g), d.in(op, m), d.in(op, v)).num(t.n).
		float(h.GradScale, h.WeightDecay, h.Beta1, float32(1-b1), h.Beta2, float32(1-b2), float32(rate), float32(root), h.Eps).over(t.n)
}

// SGDStep implements backend.Update.
func (d *Device) SGDStep(p, g, m backend.Tensor, h backend.SGD) {
	const op = "SGDStep"
	t, first := alike(op, p, g, m), 0
	if h.First {
		first = 1
	}
	d.kernel(op, "sgd", single).ptr(d.in(op, p), d.in(op, g), d.in(op, m)).num(t.n).
		float(h.GradScale, h.WeightDecay, h.Momentum, h.LR).num(first).over(t.n)
}
