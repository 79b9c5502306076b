package trace

import (
	"slices"

	"jem/backend"
	"jem/backend/philox"
)

type ts = backend.Tensor

// New implements backend.Memory.
func (d *Device) New(kind backend.Kind, shape ...int) backend.Tensor {
	d.take(kind, shape)
	return &tensor{kind: kind, shape: slices.Clone(shape)}
}

// Free implements backend.Memory.
func (d *Device) Free(...ts) {}

// Rows implements backend.Memory.
func (d *Device) Rows(t ts, lo, hi int) backend.Tensor {
	return &tensor{t.Kind(), append([]int{hi - lo}, t.Shape()[1:]...), t.(*tensor).working}
}

// View implements backend.Memory.
func (d *Device) View(t ts, _ int, shape ...int) backend.Tensor {
	return &tensor{kind: t.Kind(), shape: slices.Clone(shape)}
}

// Upload implements backend.Memory.
func (d *Device) Upload(dst ts, _ []float32) { d.note("Upload", some(dst), nil) }

// UploadRows implements backend.Memory.
func (d *Device) UploadRows(dst ts, rows []int, _ []float32) {
	d.note("UploadRows", some(d.Rows(dst, 0, len(rows))), nil)
}

// UploadIndex implements backend.Memory.
func (d *Device) UploadIndex(dst ts, _ []int32) { d.note("UploadIndex", some(dst), nil) }

// Download implements backend.Memory: it gives zeros.
func (d *Device) Download(dst []float32, src ts) error {
	clear(dst)
	d.note("Download", nil, some(src))
	return nil
}

// Sync implements backend.Memory.
func (d *Device) Sync() error {
	d.note("Sync", nil, nil)
	return nil
}

// Copy implements backend.Memory.
func (d *Device) Copy(dst, src ts) { d.note("Copy", some(dst), some(src)) }

// Fill implements backend.Memory.
func (d *Device) Fill(dst ts, _ float32) { d.note("Fill", some(dst), nil) }

// LeakyReLU implements backend.Pointwise.
func (d *Device) LeakyReLU(y, x ts, _ float32) { d.note("LeakyReLU", some(y), some(x)) }

// LeakyReLUGrad implements backend.Pointwise.
func (d *Device) LeakyReLUGrad(dx, dy, y ts, _ float32) {
	d.note("LeakyReLUGrad", some(dx), some(dy, y))
}

// Axpy implements backend.Pointwise.
func (d *Device) Axpy(y ts, _ float32, x ts) { d.note("Axpy", some(y), some(y, x)) }

// AxpySquared implements backend.Pointwise.
func (d *Device) AxpySquared(y ts, _ float32, x ts) { d.note("AxpySquared", some(y), some(y, x)) }

// Lerp implements backend.Pointwise.
func (d *Device) Lerp(y, x ts, _ float32) { d.note("Lerp", some(y), some(y, x)) }

// Clamp implements backend.Pointwise.
func (d *Device) Clamp(x ts, _, _ float32) { d.note("Clamp", some(x), some(x)) }

// Dropout implements backend.Pointwise.
func (d *Device) Dropout(dst, src ts, _ philox.Key, _ float32) {
	d.note("Dropout", some(dst), some(src))
}

// AvgPool implements backend.Head.
func (d *Device) AvgPool(y, x ts) { d.note("AvgPool", some(y), some(x)) }

// AvgPoolGrad implements backend.Head.
func (d *Device) AvgPoolGrad(dx, dy, act ts, _ float32) {
	d.note("AvgPoolGrad", some(dx), some(dy, act))
}

// Linear implements backend.Head.
func (d *Device) Linear(y, x, w, b ts) { d.note("Linear", some(y), some(x, w, b)) }

// LinearInputGrad implements backend.Head.
func (d *Device) LinearInputGrad(dx, dy, w ts) { d.note("LinearInputGrad", some(dx), some(dy, w)) }

// LinearParamGrad implements backend.Head.
func (d *Device) LinearParamGrad(dw, db, x, dy ts) {
	d.note("LinearParamGrad", some(dw, db), some(dw, db, x, dy))
}

// LogSumExp implements backend.Head.
func (d *Device) LogSumExp(lse, logits ts) { d.note("LogSumExp", some(lse), some(logits)) }

// LogitGrad implements backend.Head.
func (d *Device) LogitGrad(dlogits, logits, labels, coef ts) {
	d.note("LogitGrad", some(dlogits), some(logits, labels, coef))
}

// RowNorm implements backend.Head.
func (d *Device) RowNorm(dst, x ts) { d.note("RowNorm", some(dst), some(x)) }

// SumSquares implements backend.Head.
func (d *Device) SumSquares(dst, x ts) { d.note("SumSquares", some(dst), some(x)) }

// ProductSquares implements backend.Head.
func (d *Device) ProductSquares(dst, x, y ts) { d.note("ProductSquares", some(dst), some(x, y)) }

// Uniform implements backend.Random.
func (d *Device) Uniform(dst ts, _ philox.Key, _, _ float32) { d.note("Uniform", some(dst), nil) }

// Normal implements backend.Random.
func (d *Device) Normal(dst ts, _ philox.Key, _, _ float32) { d.note("Normal", some(dst), nil) }

// SGLDStep implements backend.Update.
func (d *Device) SGLDStep(x, grad ts, _ philox.Key, _ backend.SGLD) {
	d.note("SGLDStep", some(x), some(x, grad))
}

// SignStep implements backend.Update.
func (d *Device) SignStep(x, grad ts, _ float32) { d.note("SignStep", some(x), some(x, grad)) }

// UnitStep implements backend.Update.
func (d *Device) UnitStep(x, grad ts, _ float32) { d.note("UnitStep", some(x), some(x, grad)) }

// Project implements backend.Update.
func (d *Device) Project(x, centre ts, _ backend.Ball) { d.note("Project", some(x), some(x, centre)) }

// GatherRows implements backend.Update.
func (d *Device) GatherRows(dst, src, rows ts) {
	d.note("GatherRows", some(dst), some(d.Rows(src, 0, dst.Shape()[0]), rows))
}

// ScatterRows implements backend.Update.
func (d *Device) ScatterRows(dst, src, rows ts) {
	d.note("ScatterRows", some(d.Rows(dst, 0, src.Shape()[0])), some(src, rows))
}

// AdamStep implements backend.Update.
func (d *Device) AdamStep(p, g, m, v ts, _ backend.Adam) {
	d.note("AdamStep", some(p, m, v), some(p, g, m, v))
}

// SGDStep implements backend.Update.
func (d *Device) SGDStep(p, g, m ts, _ backend.SGD) { d.note("SGDStep", some(p, m), some(p, g, m)) }
