package asm

import (
	"math"
	"testing"
)

// BenchmarkPointwise times kernels on 16,384 elements, which stay in the L2 cache.
func BenchmarkPointwise(b *testing.B) {
	const n = 1 << 14
	x, y, z, w := operand(n, 0), operand(n, 1), operand(n, 2), operand(n, 3)
	clear(w)
	inf := float32(math.Inf(1))
	sgld := SGLD{Alpha: 1, Sigma: 0.01, Clip: inf, Lo: -1, Hi: 1}
	adam := Adam{Scale: 1, Beta1: 0.9, Rest1: 0.1, Beta2: 0.999, Rest2: 0.001, Rate: 1e-4, Root: 1, Eps: 1e-8}
	for _, isa := range Available() {
		k := PointwiseFor(isa)
		for _, c := range []struct {
			name string
			run  func()
		}{
			{"SGLD", func() { k.SGLD(x, y, stream(), 0, &sgld) }},
			{"Normal", func() { k.Normal(x, stream(), 0, 0, 1) }},
			{"Uniform", func() { k.Uniform(x, stream(), 0, 0, 1) }},
			{"Adam", func() { k.Adam(x, y, z, w, &adam) }},
			{"LeakyReLU", func() { k.LeakyReLU(y, x, 0.2) }},
			{"LeakyReLUGrad", func() { k.LeakyReLUGrad(y, x, x, 0.2) }},
			{"SumSquares", func() { k.SumSquares(x) }},
			{"PixelSum", func() { var s [16]float32; k.PixelSum(&s, x) }},
		} {
			b.Run(isa.String()+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					c.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
			})
		}
	}
}
