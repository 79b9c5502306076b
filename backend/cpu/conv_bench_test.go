package cpu

import (
	"math"
	"testing"
	"time"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// networkSpecs are the layers of WRN-16-2 and WRN-10-1 at batch 64 and some of WRN-28-10
// at batch 8.
var networkSpecs = []backend.ConvSpec{
	{N: 64, InC: 3, OutC: 16, H: 32, W: 32, Kernel: 3, Stride: 1, Pad: 1},
	{N: 64, InC: 1, OutC: 16, H: 32, W: 32, Kernel: 3, Stride: 1, Pad: 1},
	{N: 64, InC: 16, OutC: 16, H: 32, W: 32, Kernel: 3, Stride: 1, Pad: 1},
	{N: 64, InC: 16, OutC: 32, H: 32, W: 32, Kernel: 3, Stride: 1, Pad: 1},
	{N: 64, InC: 16, OutC: 32, H: 32, W: 32, Kernel: 1, Stride: 1, Pad: 0},
	{N: 64, InC: 16, OutC: 32, H: 32, W: 32, Kernel: 3, Stride: 2, Pad: 1},
	{N: 64, InC: 32, OutC: 32, H: 32, W: 32, Kernel: 3, Stride: 1, Pad: 1},
	{N: 64, InC: 32, OutC: 32, H: 32, W: 32, Kernel: 3, Stride: 2, Pad: 1},
	{N: 64, InC: 32, OutC: 64, H: 32, W: 32, Kernel: 1, Stride: 2, Pad: 0},
	{N: 64, InC: 32, OutC: 64, H: 16, W: 16, Kernel: 3, Stride: 1, Pad: 1},
	{N: 64, InC: 64, OutC: 64, H: 16, W: 16, Kernel: 3, Stride: 1, Pad: 1},
	{N: 64, InC: 64, OutC: 64, H: 16, W: 16, Kernel: 3, Stride: 2, Pad: 1},
	{N: 64, InC: 64, OutC: 128, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1},
	{N: 64, InC: 128, OutC: 128, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1},
	{N: 8, InC: 160, OutC: 160, H: 32, W: 32, Kernel: 3, Stride: 1, Pad: 1},
	{N: 8, InC: 320, OutC: 320, H: 16, W: 16, Kernel: 3, Stride: 1, Pad: 1},
	{N: 8, InC: 640, OutC: 640, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1},
	{N: 8, InC: 320, OutC: 320, H: 32, W: 32, Kernel: 3, Stride: 2, Pad: 1},
}

// BenchmarkConv reports GFLOP/s and the share of what the device's threads can do on
// registers, measured beside each case. Both are of the fastest round, so that other
// load on the machine disturbs them little; ns/op is the mean.
func BenchmarkConv(b *testing.B) {
	for _, isa := range asm.Available() {
		for _, spec := range networkSpecs {
			d := openDevice(b, Options{ISA: isa.String()})
			l := newLayer(d, spec)
			y, dx := l.newY(), l.newX()
			var act backend.Tensor // pictures are no activations
			if spec.InC >= block {
				act = l.tx
			}
			tw, tb := upload(d, backend.Dense, l.w, l.tw.shape...), upload(d, backend.Dense, l.b, spec.OutC)
			verbs := []struct {
				name string
				run  func()
			}{
				{"forward", func() { l.conv.Forward(nil, y, l.tx, l.ty) }},
				{"input", func() { l.conv.InputGrad(dx, l.ty, act, nil) }},
				{"param", func() { l.conv.ParamGrad(tw, tb, l.tx, l.ty) }},
			}
			for _, v := range verbs {
				b.Run(isa.String()+"/"+specName(spec)+"/"+v.name, func(b *testing.B) {
					peak := d.Peak()
					best := time.Duration(math.MaxInt64)
					for b.Loop() {
						start := time.Now()
						v.run()
						best = min(best, time.Since(start))
					}
					gflops := 2 * spec.MACs(spec.N) / float64(best.Nanoseconds())
					b.ReportMetric(gflops, "GFLOP/s")
					b.ReportMetric(100*gflops/peak, "%peak")
				})
			}
		}
	}
}
