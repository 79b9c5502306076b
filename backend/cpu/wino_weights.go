package cpu

import "jem/backend/cpu/asm"

// winoPacking is the region that transforms a plan's weights; a part is one group of
// output channels and one block of source channels. Padded channels have zeros.
type winoPacking wino

// part implements region.
func (k *winoPacking) part(i, _ int) {
	p := (*wino)(k)
	g, plane := i/p.src.blocks, i%p.src.blocks
	width := p.blocks(g) * block
	point := p.src.blocks * block * width // floats from one point to the next
	first := g * p.kernels.Blocks * block
	l := &p.weights
	for c := plane * block; c < min((plane+1)*block, l.srcs); c++ {
		u := p.u[p.panel(g)+c*width:]
		for lane := range min(width, l.dsts-first) {
			window := (*[9]float32)(p.conv.w.data[c*l.src+(first+lane)*l.dst:])
			turned := *window
			if p.transposed {
				for t, v := range window {
					turned[8-t] = v
				}
			}
			for t, v := range asm.WinoWeights(&turned) {
				u[t*point+lane] = float32(v)
			}
		}
	}
}
