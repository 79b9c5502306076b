package bench

import (
	"sync"
	"time"
)

// Peak measures the multiply-adds, in GFLOP/s, that so many threads of this processor do
// at once on registers alone with an instruction set (avx2 or avx512): the bound on any
// convolution. It is 0 where it can't be measured.
func Peak(isa string, threads int) float64 {
	loop, perIteration := fmaLoop(isa)
	if loop == nil {
		return 0
	}
	const iterations = 4 << 20 // some 15 ms
	best := time.Duration(0)
	for range 8 {
		var all sync.WaitGroup
		start := time.Now()
		for range threads {
			all.Go(func() { loop(iterations) })
		}
		all.Wait()
		if took := time.Since(start); best == 0 || took < best {
			best = took
		}
	}
	return float64(perIteration) * iterations * float64(threads) / best.Seconds() / 1e9
}
