package cpu

import (
	"math"
	"testing"
	"time"

	"jem/backend/cpu/asm"
)

// BenchmarkWinograd compares both families of algorithms on the networks' layers, call by
// call in turn, so that other load on the machine meets both. Rates count the direct
// convolution's operations and are of the fastest round.
func BenchmarkWinograd(b *testing.B) {
	for _, isa := range asm.Available() {
		for _, spec := range networkSpecs {
			var layers [2]*layer
			for i, algo := range []string{"direct", "winograd"} {
				layers[i] = newLayer(openDevice(b, Options{ISA: isa.String(), ConvAlgo: algo}), spec)
			}
			if !winoFits(layers[0].conv.(*conv), forwardPass) {
				continue
			}
			y, dx := layers[0].newY(), layers[0].newX()
			dw, db := layers[0].newParams()
			verbs := map[string]func(l *layer){
				"forward": func(l *layer) { l.conv.Forward(nil, y, l.tx, l.ty) },
				"input":   func(l *layer) { l.conv.InputGrad(dx, l.ty, l.tx, nil) },
				"param":   func(l *layer) { l.conv.ParamGrad(dw, db, l.tx, l.ty) },
			}
			for _, name := range []string{"forward", "input", "param"} {
				b.Run(isa.String()+"/"+specName(spec)+"/"+name, func(b *testing.B) {
					peak := layers[0].d.Peak()
					best := inTurns(b, layers, verbs[name])
					work := 2 * spec.MACs(spec.N)
					winograd := work / float64(best[1].Nanoseconds())
					b.ReportMetric(work/float64(best[0].Nanoseconds()), "direct-GFLOP/s")
					b.ReportMetric(winograd, "winograd-GFLOP/s")
					b.ReportMetric(float64(best[0])/float64(best[1]), "ratio")
					b.ReportMetric(winograd/peak, "of-peak")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

// inTurns calls a verb of two layers alternately and returns the fastest call of each.
func inTurns(b *testing.B, layers [2]*layer, verb func(*layer)) [2]time.Duration {
	best := [2]time.Duration{math.MaxInt64, math.MaxInt64}
	for b.Loop() {
		for i, l := range layers {
			start := time.Now()
			verb(l)
			best[i] = min(best[i], time.Since(start))
		}
	}
	return best
}
