package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// winoGradTotal is the region that adds up the chunks' sums and finishes the gradient; a
// part is one group of output channels and one block of input channels.
type winoGradTotal winoGrad

// part implements region.
func (k *winoGradTotal) part(i, worker int) {
	p := (*winoGrad)(k)
	g, plane := i/p.x.blocks, i%p.x.blocks
	split := g/p.groupsPart*p.planeParts() + plane/p.planesPart
	total := p.sums[split*p.partSums()+g%p.groupsPart*p.mGroup:]
	width := p.blocks(g) * block * block
	apart := p.splits() * p.partSums()
	for chunk := 1; chunk < p.chunksOf(p.call.n); chunk++ {
		for product := range p.products {
			at := product*p.mPoint + plane%p.planesPart*width
			p.conv.d.kernels.Axpy(total[at:][:width], total[chunk*apart+at:][:width], 1)
		}
	}
	a := &p.args[worker]
	p.finish(&a.taps, g, plane, total, p.conv.d.scratch.worker[worker][p.scratch(winoGradW):])
	*a = winoGradArgs{}
}

// finish adds the gradient of a group and block of input channels to dw, from the sums m
// of the group, and for the first block the bias's to db. It uses memory w.
func (p *winoGrad) finish(a *asm.WinoTaps, g, plane int, m, w []float32) {
	s := &p.conv.spec
	lanes := p.blocks(g) * block
	channels := min(block, s.InC-plane*block)
	for b := range p.blocks(g) {
		a.M = unsafe.Pointer(&m[plane%p.planesPart*block*lanes+b*block])
		a.W = unsafe.Pointer(&w[0])
		a.MPoint, a.MChannel, a.Channels = 4*p.mPoint, 4*lanes, channels
		p.kernels.Taps[s.Stride](a)
		first := (g*p.kernels.Blocks + b) * block
		for lane := range min(block, s.OutC-first) {
			dw := p.call.dw.data[((first+lane)*s.InC+plane*block)*9:][:channels*9]
			for i := range dw {
				dw[i] += w[i*block+lane]
			}
		}
	}
	if plane == 0 && p.call.db != nil {
		p.addBias(g)
	}
}

// addBias adds the chunks' sums of a group to db.
func (p *winoGrad) addBias(g int) {
	total := p.biasSum(0, span{g, g + 1})
	for chunk := 1; chunk < p.chunksOf(p.call.n); chunk++ {
		for i, v := range p.biasSum(chunk, span{g, g + 1}) {
			total[i] += v
		}
	}
	first := g * p.kernels.Blocks * block
	for i, v := range total[:min(len(total), p.conv.spec.OutC-first)] {
		p.call.db.data[first+i] += v
	}
}
