package model_test

import (
	"fmt"
	"testing"

	"jem/backend"
	"jem/backend/philox"
	"jem/model"
)

// BenchmarkPointsChain runs chains of 20 SGLD steps over points of a plane: a step's time and arithmetic.
func BenchmarkPointsChain(b *testing.B) {
	const steps = 20
	for _, size := range [][2]int{{2, 64}, {2, 128}, {3, 128}, {3, 256}} {
		for _, batch := range []int{64, 200, 1000, 4096} {
			b.Run(fmt.Sprintf("hidden%dx%d/n%d", size[0], size[1], batch), func(b *testing.B) {
				d := open(b)
				c := model.Config{Network: model.MLP, Depth: size[0], Width: size[1], Classes: 4, InC: 2, Size: 1, Slope: 0.2}
				net, err := model.New(d, c, batch, 1)
				if err != nil {
					b.Fatal(err)
				}
				jem := model.NewJEM(d, net)
				x, g := d.New(backend.Image, batch, 2, 1, 1), d.New(backend.Image, batch, 2, 1, 1)
				chain := backend.NewChain(d, steps, func(_ int, key philox.Key) {
					jem.LogDensityGrad(g, x)
					d.SGLDStep(x, g, key, backend.SGLD{StepSize: 1e-3, Noise: 0.05})
				})
				chain.Run(philox.New(1, 0, philox.Test))
				b.ResetTimer()
				for i := range b.N {
					d.ParamsChanged()
					chain.Run(philox.New(1, uint32(i), philox.Test))
				}
				step := b.Elapsed().Seconds() / float64(b.N*steps)
				b.ReportMetric(step*1e6, "µs/step")
				b.ReportMetric(4*float64(net.Params.Len())*float64(batch)/step/1e9, "GFLOP/s")
			})
		}
	}
}
