package cpu

import (
	"testing"

	"jem/backend/cpu/asm"
)

// BenchmarkWinogradBF16 compares float32 and bf16 on the networks' layers with one thread,
// call by call in turn. Rates count the direct convolution's operations and are of the
// fastest round.
func BenchmarkWinogradBF16(b *testing.B) {
	isa := asm.Best()
	if !asm.BF16(isa) {
		b.Skip("this machine has no AVX512_BF16")
	}
	for _, spec := range networkSpecs {
		layers := [2]*layer{newLayer(lowDevice(b, isa, lowNowhere, 1), spec), newLayer(lowDevice(b, isa, lowEverywhere, 1), spec)}
		if _, ok := layers[0].conv.(*conv).passes[usualForward].(*wino); !ok {
			continue
		}
		y, dx := layers[0].newY(), layers[0].newX()
		verbs := map[string]func(l *layer){
			"forward": func(l *layer) { l.conv.Forward(nil, y, l.tx, l.ty) },
			"input":   func(l *layer) { l.conv.InputGrad(dx, l.ty, l.tx, nil) },
		}
		for _, name := range []string{"forward", "input"} {
			b.Run(specName(spec)+"/"+name, func(b *testing.B) {
				best := inTurns(b, layers, verbs[name])
				work := 2 * spec.MACs(spec.N)
				b.ReportMetric(work/float64(best[0].Nanoseconds()), "fp32-GFLOP/s")
				b.ReportMetric(work/float64(best[1].Nanoseconds()), "bf16-GFLOP/s")
				b.ReportMetric(float64(best[0])/float64(best[1]), "ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
