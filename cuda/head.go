//go:build cuda && linux && amd64

package cuda

import (
	"jem/backend"
	"jem/cuda/internal/driver"
	"jem/kernels"
)

// held returns the address of an image as it is held, for kernels that read both storages.
func (d *Device) held(op string, t *tensor) (driver.Pointer, storage) {
	if t.isHalf() {
		return t.at(), half
	}
	return d.read(op, t), single
}

// AvgPool implements backend.Head.
func (d *Device) AvgPool(y, x backend.Tensor) {
	const op = "AvgPool"
	n, c, hw := pooled(op, y, x)
	from, s := d.held(op, x.(*tensor))
	d.kernel(op, "avg_pool", s).ptr(d.out(op, y), from).num(n, c, hw).over(n, c)
}

// AvgPoolGrad implements backend.Head. Where act is held in bfloat16, so is dx.
func (d *Device) AvgPoolGrad(dx, dy, act backend.Tensor, slope float32) {
	const op = "AvgPoolGrad"
	n, c, hw := pooled(op, dy, dx)
	t, from, gate, s := dx.(*tensor), d.in(op, dy), driver.Pointer(0), single
	if act != nil {
		backend.SameShape(op, dx, act)
		gate, s = d.held(op, act.(*tensor))
	}
	d.kernel(op, "avg_pool_grad", s).ptr(d.assign(op, t, s), from, gate).num(n, c, hw).float(slope).over(t.n)
}

// MaxPool implements backend.Windower.
func (d *Device) MaxPool(y, x backend.Tensor, w backend.Window) {
	d.pool("MaxPool", "max_pool", y, x, w)
}

// MeanPool implements backend.Windower.
func (d *Device) MeanPool(y, x backend.Tensor, w backend.Window) {
	d.pool("MeanPool", "mean_pool", y, x, w)
}

func (d *Device) pool(op, family string, y, x backend.Tensor, w backend.Window) {
	if x == nil || x.Kind() != backend.Image || !w.Fits(x.Shape()[2], x.Shape()[3]) {
		backend.Mismatch(op, y, x)
	}
	s := x.Shape()
	backend.CheckShape(op, y, backend.Image, s[0], s[1], w.Out(s[2]), w.Out(s[3]))
	from, held := d.held(op, x.(*tensor))
	to := d.assign(op, y.(*tensor), held)
	d.kernel(op, family, held).ptr(to, from).num(s[0], s[1], s[2], s[3], w.Size, w.Stride, w.Pad).over(backend.Len(y))
}

// pooled checks y Dense (N,C) and x Image (N,C,H,W).
func pooled(op string, y, x backend.Tensor) (n, c, hw int) {
	if x == nil || x.Kind() != backend.Image {
		backend.Mismatch(op, y, x)
	}
	t := x.(*tensor)
	c, hw = t.image()
	backend.CheckShape(op, y, backend.Dense, t.shape[0], c)
	return t.shape[0], c, hw
}

// Linear implements backend.Head.
func (d *Device) Linear(y, x, w, b backend.Tensor) {
	const op = "Linear"
	n, in, outs := linearShape(op, x, y, w, b)
	d.kernel(op, "linear", single).ptr(d.out(op, y), d.in(op, x), d.in(op, w), d.in(op, b)).num(n, in, outs).over(n * outs)
}

// LinearInputGrad implements backend.Head.
func (d *Device) LinearInputGrad(dx, dy, w backend.Tensor) {
	const op = "LinearInputGrad"
	n, in, outs := linearShape(op, dx, dy, w, nil)
	d.kernel(op, "linear_input_grad", single).ptr(d.out(op, dx), d.in(op, dy), d.in(op, w)).num(n, in, outs).over(n * in)
}

// LinearParamGrad implements backend.Head.
func (d *Device) LinearParamGrad(dw, db, x, dy backend.Tensor) {
	const op = "LinearParamGrad"
	n, in, outs := linearShape(op, x, dy, dw, db)
	d.kernel(op, "linear_param_grad", single).ptr(d.in(op, dw), d.in(op, db), d.in(op, x), d.in(op, dy)).num(n, in, outs).over(outs * (in + 1))
}

// linearShape checks x (N,D), y (N,K), w (K,D) and, where not nil, b (K), all Dense.
func linearShape(op string, x, y, w, b backend.Tensor) (n, in, outs int) {
	for _, t := range [...]backend.Tensor{x, y, w} {
		if t == nil || t.Kind() != backend.Dense || len(t.Shape()) != 2 {
			backend.Mismatch(op, x, y, w, b)
		}
	}
	xs, ys, ws := x.Shape(), y.Shape(), w.Shape()
	if xs[0] != ys[0] || ws[0] != ys[1] || ws[1] != xs[1] || b != nil && !isVector(b, ys[1]) {
		backend.Mismatch(op, x, y, w, b)
	}
	return xs[0], xs[1], ys[1]
}

// isVector reports whether t is Dense (n).
func isVector(t backend.Tensor, n int) bool {
	return t != nil && t.Kind() == backend.Dense && len(t.Shape()) == 1 && t.Shape()[0] == n
}

// LogSumExp implements backend.Head.
func (d *Device) LogSumExp(lse, logits backend.Tensor) {
	const op = "LogSumExp"
	n, k := rowsOf(op, logits)
	if !isVector(lse, n) {
		backend.Mismatch(op, lse, logits)
	}
	d.kernel(op, "log_sum_exp", single).ptr(d.out(op, lse), d.in(op, logits)).num(n, k).over(n)
}

// LogitGrad implements backend.Head.
func (d *Device) LogitGrad(dlogits, logits, labels, coef backend.Tensor) {
	const op = "LogitGrad"
	n, k := rowsOf(op, logits)
	backend.SameShape(op, logits, dlogits)
	backend.CheckShape(op, coef, backend.Dense, n, 4)
	of := driver.Pointer(0)
	if labels != nil {
		backend.CheckShape(op, labels, backend.Index, n)
		of = labels.(*tensor).at()
	}
	d.kernel(op, "logit_grad", single).ptr(d.out(op, dlogits), d.in(op, logits), of, d.in(op, coef)).num(n, k).over(n)
}

// rowsOf checks logits Dense (N,K).
func rowsOf(op string, t backend.Tensor) (n, k int) {
	if t == nil || t.Kind() != backend.Dense || len(t.Shape()) != 2 {
		backend.Mismatch(op, t)
	}
	return t.Shape()[0], t.Shape()[1]
}

// RowNorm implements backend.Head.
func (d *Device) RowNorm(dst, x backend.Tensor) {
	const op = "RowNorm"
	t := ours(op, x)
	n := t.shape[0]
	if !isVector(dst, n) {
		backend.Mismatch(op, dst, x)
	}
	d.kernel(op, "row_norm", single).ptr(d.out(op, dst), d.read(op, t)).num(n, t.n/n).over(n)
}

// SumSquares implements backend.Head, in two passes.
func (d *Device) SumSquares(dst, x backend.Tensor) {
	const op = "SumSquares"
	t := ours(op, x)
	if !isVector(dst, 1) {
		backend.Mismatch(op, dst, x)
	}
	count, from := kernels.ElementParts(t.n), d.read(op, t)
	parts := d.reserve(op, partial, int64(count)*word)
	d.kernel(op, "sum_squares_parts", single).ptr(parts, from).num(t.n).over(t.n)
	d.kernel(op, "sum_squares", single).ptr(d.out(op, dst), parts).num(count).over(1)
}

// ProductSquares implements backend.Head, in two passes.
func (d *Device) ProductSquares(dst, x, y backend.Tensor) {
	const op = "ProductSquares"
	t := alike(op, x, y)
	if !isVector(dst, 1) {
		backend.Mismatch(op, dst, x)
	}
	count, from, with := kernels.ElementParts(t.n), d.read(op, t), d.in(op, y)
	parts := d.reserve(op, partial, int64(count)*word)
	d.kernel(op, "product_squares_parts", single).ptr(parts, from, with).num(t.n).over(t.n)
	d.kernel(op, "sum_squares", single).ptr(d.out(op, dst), parts).num(count).over(1)
}
