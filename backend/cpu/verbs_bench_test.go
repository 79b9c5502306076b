package cpu

import (
	"testing"

	"jem/backend"
)

// The sizes of one training step: 64 chains of CIFAR-10 images, the first feature map and
// about the parameters of WRN-16-2.
func BenchmarkVerbs(b *testing.B) {
	d := openDevice(b, Options{})
	x, g := d.New(backend.Image, 64, 3, 32, 32), d.New(backend.Image, 64, 3, 32, 32)
	feature, act := d.New(backend.Image, 64, 32, 32, 32), d.New(backend.Image, 64, 32, 32, 32)
	last, pooled := d.New(backend.Image, 64, 128, 8, 8), d.New(backend.Dense, 64, 128)
	var p [4]backend.Tensor
	for i := range p {
		p[i] = d.New(backend.Dense, 700_000)
	}
	norm := func(kind backend.NormKind) backend.Norm {
		var v [4]backend.Tensor
		for i := range v {
			v[i] = d.New(backend.Dense, 32)
		}
		return d.NewNorm(backend.NormSpec{Kind: kind, C: 32, H: 32, W: 32, Eps: 1e-5, Momentum: 0.1}, v[0], v[1], v[2], v[3])
	}
	batch := norm(backend.BatchNorm)
	one := d.New(backend.Dense, 1)
	d.Fill(g, 1)
	sgld := backend.SGLD{StepSize: 1, Noise: 0.01, Lo: -1, Hi: 1}
	adam := backend.Adam{LR: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, GradScale: 1, Step: 1}
	for _, c := range []struct {
		name string
		size backend.Tensor
		call func()
	}{
		{"SGLDStep", x, func() { d.SGLDStep(x, g, testKey, sgld) }},
		{"SignStep", x, func() { d.SignStep(x, g, 0.01) }},
		{"UnitStep", x, func() { d.UnitStep(x, g, 0.01) }},
		{"Project LInf", x, func() { d.Project(x, g, backend.Ball{Radius: 0.1, Lo: -1, Hi: 1}) }},
		{"Project L2", x, func() { d.Project(x, g, backend.Ball{Norm: backend.L2, Radius: 0.1, Lo: -1, Hi: 1}) }},
		{"AxpySquared", p[0], func() { d.AxpySquared(p[0], 0.01, p[1]) }},
		{"ProductSquares", p[0], func() { d.ProductSquares(one, p[0], p[1]) }},
		{"AdamStep", p[0], func() { d.AdamStep(p[0], p[1], p[2], p[3], adam) }},
		{"LeakyReLU", act, func() { d.LeakyReLU(act, feature, 0.2) }},
		{"LeakyReLUGrad", act, func() { d.LeakyReLUGrad(act, act, feature, 0.2) }},
		{"AvgPool", last, func() { d.AvgPool(pooled, last) }},
		{"AvgPoolGrad", last, func() { d.AvgPoolGrad(last, pooled, last, 0.2) }},
		{"Dropout", act, func() { d.Dropout(act, feature, testKey, 0.3) }},
		{"Norm.Forward", act, func() { batch.Forward(act, feature, backend.MovingStats) }},
		{"Norm.InputGrad", act, func() { batch.InputGrad(act, act, feature) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.call()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(backend.Len(c.size)), "ns/element")
		})
	}
}
