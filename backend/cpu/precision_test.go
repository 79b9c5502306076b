package cpu

import (
	"math"
	"testing"

	"jem/backend/cpu/asm"
)

// lowDevice computes in bf16, with the portable kernels too.
func lowDevice(tb testing.TB, isa asm.ISA, low lowPrecision, threads int) *Device {
	d := testDevice(tb, isa, threads)
	d.low, d.convAlgo = low, convWinograd
	return d
}

func TestScratch(t *testing.T) {
	for _, isa := range []asm.ISA{asm.Generic, asm.AVX512} {
	for _, spec := range oracleSpecs {
		low, full := newLayer(lowDevice(t, isa, lowEverywhere, 1), spec), newLayer(lowDevice(t, isa, lowNowhere, 1), spec)
		if !winoFits(low.conv.(*conv), forwardPass) {
			continue
		}
		sizes := make([]sum, len(low.dy))
		product(spec, func(yi, wi, xi int) { sizes[yi].add(float64(low.w[wi]) * float64(low.x[xi])) })
		isizes := make([]sum, len(low.x))
		product(spec, func(yi, wi, xi int) { isizes[xi].add(float64(low.w[wi]) * float64(low.dy[yi])) })
		a, b := low.newY(), full.newY()
		low.conv.Forward(a, nil, low.tx, nil)
		full.conv.Forward(b, nil, full.tx, nil)
		stat := func(what string, x, y []float32, sz []sum) {
			var e, s, m, r float64
			for i := range x {
				d := float64(x[i] - y[i])
				e += d * d
				s += float64(y[i]) * float64(y[i])
				m = max(m, math.Abs(d)/sz[i].size)
				r += d*d/sz[i].size/sz[i].size
			}
			t.Logf("%s %s %s: rel rms %.4f, max %.0f rms %.0f u·Σ|ab|", isa, specName(spec), what, math.Sqrt(e/s), m*(1<<24), math.Sqrt(r/float64(len(x)))*(1<<24))
		}
		stat("forward", download(t, low.d, a), download(t, full.d, b), sizes)
		dx, dy := low.newX(), full.newX()
		low.conv.InputGrad(dx, low.ty, nil, nil)
		full.conv.InputGrad(dy, full.ty, nil, nil)
		stat("input", download(t, low.d, dx), download(t, full.d, dy), isizes)
	}
	}
}
