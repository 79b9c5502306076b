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
	p.finish(a, g, plane, total, p.conv.d.scratch.worker[worker][p.scratch(winoGradW):])
	*a = winoGradArgs{}
}

// finish adds the gradient of a group and block of input channels to dw, from the sums m
// of the group, and for the first block the bias's to db. It uses memory w.
func (p *winoGrad) finish(a *winoGradArgs, g, plane int, m, w []float32) {
	s := &p.conv.spec
	lanes := p.blocks(g) * block
	channels := min(block, s.InC-plane*block)
	for b := range p.blocks(g) {
		t := &a.taps
		t.M = unsafe.Pointer(&m[plane%p.planesPart*block*lanes+b*block])
		t.W = unsafe.Pointer(&w[0])
		t.MPoint, t.MChannel, t.Channels = 4*p.mPoint, 4*lanes, channels
		p.kernels.Taps[s.Stride](t)
		p.spread(&a.spread, (g*p.kernels.Blocks+b)*block, plane, channels, w)
	}
	if plane == 0 && p.call.db != nil {
		p.addBias(g)
	}
}

// spread adds the windows' gradients w of 16 lanes and some channels of a plane to dw.
func (p *winoGrad) spread(a *asm.WinoSpread, lane, plane, channels int, w []float32) {
	s := &p.conv.spec
	dw, apart := p.call.dw.data[(lane*s.InC+plane*block)*9:], 9*s.InC
	lanes := min(block, s.OutC-lane)
	if channels == block && lanes == block {
		*a = asm.WinoSpread{From: unsafe.Pointer(&w[0]), To: unsafe.Pointer(&dw[0]), ToLane: 4 * apart, Eights: 9 * block / 8}
		p.kernels.Spread(a)
		return
	}
	for i := range lanes {
		to := dw[i*apart:][:9*channels]
		for j := range to {
			to[j] += w[j*block+i]
		}
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
