package asm

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// BenchmarkWinoProduct compares product kernels of float32 and of bf16 in turns, on 32 tiles
// and weights in the level 2 cache. Rates count multiply-adds as two, of the fastest round.
func BenchmarkWinoProduct(b *testing.B) {
	isa := Best()
	if !BF16(isa) {
		b.Skip("no instructions for bf16")
	}
	for _, in := range []int{1, 2, 4, 10, 20} {
		for blocks := 1; blocks <= 2; blocks++ {
			b.Run(fmt.Sprintf("%dto%d", 16*in, 16*blocks), func(b *testing.B) {
				const tiles, repeats = 32, 64
				v, u, m := make([]float32, in*tiles*16), make([]float32, in*256*blocks), make([]float32, tiles*16*blocks)
				best := [2]time.Duration{math.MaxInt64, math.MaxInt64}
				for b.Loop() {
					for i, w := range []*Wino{WinoFor(isa), WinoBF16For(isa)} {
						start := time.Now()
						for range repeats {
							p := WinoProduct{V: pointer(v, 0), U: pointer(u, 0), M: pointer(m, 0), VBlock: 16 * w.Width * tiles, Blocks: in}
							p.Next, p.Dest = uintptr(p.V), uintptr(p.M)
							split := w.Split(blocks, tiles)
							w.Product(&p, &split)
						}
						best[i] = min(best[i], time.Since(start))
					}
				}
				work := float64(2 * repeats * tiles * 256 * in * blocks)
				b.ReportMetric(work/float64(best[0].Nanoseconds()), "fp32-GFLOP/s")
				b.ReportMetric(work/float64(best[1].Nanoseconds()), "bf16-GFLOP/s")
				b.ReportMetric(float64(best[0])/float64(best[1]), "ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
