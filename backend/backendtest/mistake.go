package backendtest

import (
	"fmt"
	"math"
	"strings"

	"jem/backend"
	"jem/backend/philox"
)

func mistakeChecks() []Check {
	return []Check{{"mistakes", "panic_with_operation_and_shapes", mistakes}, {"mistakes", "device_goes_on", goesOn}}
}

// mistakes makes one caller's mistake for each verb. The panic must name the verb.
func mistakes(p *Probe) {
	d := p.dev
	v3, v4, m23 := p.in(backend.Dense, 3), p.in(backend.Dense, 4), p.in(backend.Dense, 2, 3)
	im, im5, im17 := p.in(backend.Image, 2, 3, 4, 4), p.in(backend.Image, 2, 3, 5, 4), p.in(backend.Image, 2, 17, 4, 4)
	idx, key, nan := p.index(0, 1), philox.Key{}, float32(math.NaN())
	spec := backend.ConvSpec{N: 2, InC: 3, H: 4, W: 4, OutC: 17, Kernel: 3, Stride: 1, Pad: 1, Slope: 0.2}
	w, b := p.in(backend.Dense, 17, 3, 3, 3), p.in(backend.Dense, 17)
	conv := d.NewConv(spec, w.Tensor, b.Tensor)
	ln := backend.NormSpec{Kind: backend.LayerNorm, C: 3, H: 4, W: 4, Eps: 1e-5}
	norm := d.NewNorm(ln, v3.Tensor, v3.Tensor, nil, nil)
	for _, m := range []struct {
		verb string
		call func()
	}{
		{"New", func() { d.New(backend.Image, 2, 3) }},
		{"New", func() { d.New(backend.Dense, 0) }},
		{"Rows", func() { d.Rows(m23.Tensor, 1, 3) }},
		{"View", func() { d.View(m23.Tensor, 4, 3) }},
		{"Upload", func() { d.Upload(v3.Tensor, make([]float32, 4)) }},
		{"UploadRows", func() { d.UploadRows(m23.Tensor, []int{0, 1}, make([]float32, 5)) }},
		{"UploadRows", func() { d.UploadRows(m23.Tensor, []int{2}, make([]float32, 3)) }},
		{"UploadIndex", func() { d.UploadIndex(idx, make([]int32, 3)) }},
		{"Download", func() { _ = d.Download(make([]float32, 2), v3.Tensor) }},
		{"Copy", func() { d.Copy(v3.Tensor, v4.Tensor) }},
		{"LeakyReLU", func() { d.LeakyReLU(v3.Tensor, v4.Tensor, 0.2) }},
		{"LeakyReLUGrad", func() { d.LeakyReLUGrad(im.Tensor, im.Tensor, im5.Tensor, 0.2) }},
		{"Axpy", func() { d.Axpy(v3.Tensor, 1, v4.Tensor) }},
		{"AxpySquared", func() { d.AxpySquared(v3.Tensor, 1, v4.Tensor) }},
		{"Lerp", func() { d.Lerp(im.Tensor, im5.Tensor, 0.5) }},
		{"Dropout", func() { d.Dropout(v3.Tensor, v4.Tensor, key, 0.5) }},
		{"AvgPool", func() { d.AvgPool(m23.Tensor, im17.Tensor) }},
		{"AvgPoolGrad", func() { d.AvgPoolGrad(im17.Tensor, m23.Tensor, nil, 0.2) }},
		{"AvgPoolGrad", func() { d.AvgPoolGrad(im.Tensor, m23.Tensor, im5.Tensor, 0.2) }},
		{"Linear", func() { d.Linear(m23.Tensor, m23.Tensor, m23.Tensor, v3.Tensor) }},
		{"LinearInputGrad", func() { d.LinearInputGrad(m23.Tensor, m23.Tensor, m23.Tensor) }},
		{"LinearParamGrad", func() { d.LinearParamGrad(m23.Tensor, v3.Tensor, m23.Tensor, m23.Tensor) }},
		{"LogSumExp", func() { d.LogSumExp(v3.Tensor, m23.Tensor) }},
		{"LogitGrad", func() { d.LogitGrad(m23.Tensor, m23.Tensor, idx, v3.Tensor) }},
		{"RowNorm", func() { d.RowNorm(v3.Tensor, m23.Tensor) }},
		{"SumSquares", func() { d.SumSquares(v3.Tensor, m23.Tensor) }},
		{"ProductSquares", func() { d.ProductSquares(v3.Tensor, m23.Tensor, m23.Tensor) }},
		{"ProductSquares", func() { d.ProductSquares(p.out(backend.Dense, 1), v3.Tensor, v4.Tensor) }},
		{"SignStep", func() { d.SignStep(im.Tensor, im5.Tensor, 1) }},
		{"UnitStep", func() { d.UnitStep(im.Tensor, im5.Tensor, 1) }},
		{"Project", func() { d.Project(im.Tensor, im5.Tensor, backend.Ball{Radius: 1}) }},
		{"Project", func() { d.Project(im.Tensor, im.Tensor, backend.Ball{Radius: -1}) }},
		{"Project", func() { d.Project(im.Tensor, im.Tensor, backend.Ball{Radius: nan}) }},
		{"Project", func() { d.Project(im.Tensor, im.Tensor, backend.Ball{Radius: 1, Lo: 1, Hi: -1}) }},
		{"Project", func() { d.Project(im.Tensor, im.Tensor, backend.Ball{Norm: backend.L2 + 1, Radius: 1}) }},
		{"SGLDStep", func() { d.SGLDStep(im.Tensor, im5.Tensor, key, backend.SGLD{StepSize: 1}) }},
		{"GatherRows", func() { d.GatherRows(m23.Tensor, v3.Tensor, idx) }},
		{"ScatterRows", func() { d.ScatterRows(m23.Tensor, v3.Tensor, idx) }},
		{"AdamStep", func() { d.AdamStep(v3.Tensor, v4.Tensor, v3.Tensor, v3.Tensor, backend.Adam{Step: 1}) }},
		{"SGDStep", func() { d.SGDStep(v3.Tensor, v3.Tensor, v4.Tensor, backend.SGD{First: true}) }},
		{"NewConv", func() { d.NewConv(spec, m23.Tensor, b.Tensor) }},
		{"NewNorm", func() { d.NewNorm(ln, v4.Tensor, v3.Tensor, nil, nil) }},
		{"Forward", func() { conv.Forward(nil, nil, im.Tensor, nil) }},
		{"Forward", func() { conv.Forward(im17.Tensor, nil, im5.Tensor, nil) }},
		{"Forward", func() { conv.Forward(im17.Tensor, nil, im.Tensor, im.Tensor) }},
		{"InputGrad", func() { conv.InputGrad(im.Tensor, im.Tensor, nil, nil) }},
		{"InputGrad", func() { conv.InputGrad(im.Tensor, im17.Tensor, im5.Tensor, nil) }},
		{"ParamGrad", func() { conv.ParamGrad(m23.Tensor, nil, im.Tensor, im17.Tensor) }},
		{"Forward", func() { norm.Forward(im.Tensor, im5.Tensor, backend.MovingStats) }},
	} {
		mustPanic(p, m.verb, m.call)
	}
}

// mustPanic faults unless call panics with a message that names the verb.
func mustPanic(p *Probe, verb string, call func()) {
	defer func() {
		switch r := recover(); {
		case r == nil:
			p.faultf("%s with operands that don't fit returned", verb)
		case !strings.Contains(fmt.Sprint(r), "backend: ") || !strings.Contains(fmt.Sprint(r), verb):
			p.faultf("%s with operands that don't fit: panic %q, want one that begins with backend: and names the operation", verb, fmt.Sprint(r))
		}
	}()
	call()
}

// goesOn: after those panics the device still computes.
func goesOn(p *Probe) {
	x := p.put([]float32{1, 2, 3}, backend.Dense, 3)
	p.dev.Axpy(x.Tensor, 1, p.fixed([]float32{1, 1, 1}, backend.Dense, 3).Tensor)
	p.same("Axpy", x.Tensor, []float32{2, 3, 4})
}
