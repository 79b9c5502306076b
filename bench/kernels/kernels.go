package kernels

import (
	"context"
	"slices"
	"time"

	"jem/backend"
	"jem/backend/philox"
	"jem/backend/trace"
)

// KernelResult is what an operation outside convolutions took.
type KernelResult struct {
	Kernel    string  `json:"kernel"`
	Bytes     float64 `json:"bytes"`   // that a call must move: each operand read or written once, in float32
	Seconds   float64 `json:"seconds"` // a call, best of three rounds
	Calls     int     `json:"calls"`   // a round
	GBs       float64 `json:"gb_per_second"`
	CopyShare float64 `json:"copy_share"` // of the rate at which the device copies memory
}

// Kernels measures every operation outside convolutions on operands of about the given
// number of elements, which should not fit in a cache. A round makes as many calls as take the
// least time and waits once. The first result is the copy that the others are compared with.
func Kernels(ctx context.Context, dev backend.Device, elements int, least time.Duration) ([]KernelResult, error) {
	var all []KernelResult
	counter := trace.New()
	count := operations(counter, elements)
	for i, op := range operations(dev, elements) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		counted := count[i].operands()
		counter.Forget()
		count[i].run(counted)
		r := KernelResult{Kernel: op.name, Bytes: moved(counter.Calls())}
		operands := op.operands()
		if err := round(dev, func() { op.run(operands) }, least, &r); err != nil {
			return nil, err
		}
		dev.Free(operands...)
		r.GBs = r.Bytes / r.Seconds / 1e9
		all = append(all, r)
		all[i].CopyShare = r.GBs / all[0].GBs
	}
	return all, nil
}

// round measures a call: it doubles the number of calls until they take the least time.
func round(dev backend.Device, run func(), least time.Duration, r *KernelResult) error {
	timed := func(calls int) (time.Duration, error) {
		begin := time.Now()
		for range calls {
			run()
		}
		err := dev.Sync()
		return time.Since(begin), err
	}
	took, err := timed(1) // touches memory, compiles
	for r.Calls = 1; err == nil && (r.Calls == 1 || took < least); {
		r.Calls *= 2
		took, err = timed(r.Calls)
	}
	for range 2 {
		if err != nil {
			return err
		}
		var again time.Duration
		again, err = timed(r.Calls)
		took = min(took, again)
	}
	r.Seconds = took.Seconds() / float64(r.Calls)
	return err
}

func moved(calls []trace.Call) (bytes float64) {
	for _, c := range calls {
		for _, t := range slices.Concat(c.Reads, c.Writes) {
			bytes += 4 * float64(backend.Len(t))
		}
	}
	return bytes
}

// operation is a call with operands of its own.
type operation struct {
	name string
	run  func(t ts)
	make []func() backend.Tensor
}

type ts = []backend.Tensor

func (o operation) operands() ts {
	all := make(ts, len(o.make))
	for i, f := range o.make {
		all[i] = f()
	}
	return all
}

// operations lists the calls with operands of n elements.
func operations(d backend.Device, n int) []operation {
	key := philox.New(1, 0, philox.Test)
	const classes, channels, side = 10, 160, 32
	images, held, rows := max(1, n/(channels*side*side)), max(1, n/(3*side*side)), max(1, n/classes)
	of := func(kind backend.Kind, shape ...int) func() backend.Tensor {
		return func() backend.Tensor { return d.New(kind, shape...) }
	}
	flat, one := of(backend.Dense, n), of(backend.Dense, 1)
	image, pooled, norms := of(backend.Image, images, channels, side, side), of(backend.Dense, images, channels), of(backend.Dense, images)
	picture, slots := of(backend.Image, held, 3, side, side), of(backend.Dense, held, 3*side*side)
	logits, perRow, coef := of(backend.Dense, rows, classes), of(backend.Dense, rows), of(backend.Dense, rows, 4)
	order := func() backend.Tensor { return index(d, held) }
	type makers = []func() backend.Tensor
	sgld, adam := backend.SGLD{StepSize: 1, Noise: 0.01}, backend.Adam{LR: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, GradScale: 1, Step: 1}
	box, sphere := backend.Ball{Radius: 0.06, Lo: -1, Hi: 1}, backend.Ball{Norm: backend.L2, Radius: 1, Lo: -1, Hi: 1}
	return []operation{
		{"Copy", func(t ts) { d.Copy(t[0], t[1]) }, makers{flat, flat}},
		{"SGLDStep", func(t ts) { d.SGLDStep(t[0], t[1], key, sgld) }, makers{picture, picture}},
		{"SignStep", func(t ts) { d.SignStep(t[0], t[1], 0.01) }, makers{picture, picture}},
		{"UnitStep", func(t ts) { d.UnitStep(t[0], t[1], 0.01) }, makers{picture, picture}},
		{"Project, L∞", func(t ts) { d.Project(t[0], t[1], box) }, makers{picture, picture}},
		{"Project, L2", func(t ts) { d.Project(t[0], t[1], sphere) }, makers{picture, picture}},
		{"LeakyReLU", func(t ts) { d.LeakyReLU(t[0], t[1], 0.2) }, makers{image, image}},
		{"LeakyReLUGrad", func(t ts) { d.LeakyReLUGrad(t[0], t[1], t[2], 0.2) }, makers{image, image, image}},
		{"Axpy", func(t ts) { d.Axpy(t[0], 1e-6, t[1]) }, makers{flat, flat}},
		{"AxpySquared", func(t ts) { d.AxpySquared(t[0], 1e-6, t[1]) }, makers{flat, flat}},
		{"Lerp", func(t ts) { d.Lerp(t[0], t[1], 1e-6) }, makers{flat, flat}},
		{"Clamp", func(t ts) { d.Clamp(t[0], -1, 1) }, makers{flat}},
		{"Fill", func(t ts) { d.Fill(t[0], 0) }, makers{flat}},
		{"Dropout", func(t ts) { d.Dropout(t[0], t[1], key, 0.1) }, makers{image, image}},
		{"Uniform", func(t ts) { d.Uniform(t[0], key, 0, 1) }, makers{flat}},
		{"Normal", func(t ts) { d.Normal(t[0], key, 0, 1) }, makers{flat}},
		{"AvgPool", func(t ts) { d.AvgPool(t[0], t[1]) }, makers{pooled, image}},
		{"AvgPoolGrad", func(t ts) { d.AvgPoolGrad(t[0], t[1], t[2], 0.2) }, makers{image, pooled, image}},
		{"RowNorm", func(t ts) { d.RowNorm(t[0], t[1]) }, makers{norms, image}},
		{"SumSquares", func(t ts) { d.SumSquares(t[0], t[1]) }, makers{one, flat}},
		{"ProductSquares", func(t ts) { d.ProductSquares(t[0], t[1], t[2]) }, makers{one, flat, flat}},
		{"LogSumExp", func(t ts) { d.LogSumExp(t[0], t[1]) }, makers{perRow, logits}},
		{"LogitGrad", func(t ts) { d.LogitGrad(t[0], t[1], nil, t[2]) }, makers{logits, logits, coef}},
		{"GatherRows", func(t ts) { d.GatherRows(t[0], t[1], t[2]) }, makers{picture, slots, order}},
		{"ScatterRows", func(t ts) { d.ScatterRows(t[0], t[1], t[2]) }, makers{slots, picture, order}},
		{"AdamStep", func(t ts) { d.AdamStep(t[0], t[1], t[2], t[3], adam) }, makers{flat, flat, flat, flat}},
		{"SGDStep", func(t ts) { d.SGDStep(t[0], t[1], t[2], backend.SGD{LR: 1e-4, Momentum: 0.9, GradScale: 1}) }, makers{flat, flat, flat}},
	}
}

// index returns the rows 0 … n−1 in a scattered order.
func index(d backend.Device, n int) backend.Tensor {
	const stride = 7919 // a prime larger than what divides a row count of interest
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i * stride % n)
	}
	t := d.New(backend.Index, n)
	d.UploadIndex(t, rows)
	return t
}
