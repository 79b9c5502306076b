package cpu

import "jem/backend/cpu/asm"

// Peak measures the device's multiply-add roof in GFLOP/s: all its threads at once,
// on registers alone (see asm.Peak). It takes some 10 ms.
func (d *Device) Peak() float64 {
	p := &peakRegion{isa: d.isa, gflops: make([]float64, d.workers.n)}
	d.workers.run(d.workers.n, p)
	total := 0.0
	for _, g := range p.gflops {
		total += g
	}
	return total
}

// peakRegion measures on every worker.
type peakRegion struct {
	isa    asm.ISA
	gflops []float64
}

// part implements region.
func (p *peakRegion) part(i, _ int) { p.gflops[i] = asm.Peak(p.isa) }
