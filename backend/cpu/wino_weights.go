package cpu

// winoPacking is the region that transforms a plan's weights; a part is one group of
// output channels and one block of source channels. Padded channels have zeros.
type winoPacking wino

// part implements region.
func (k *winoPacking) part(i, worker int) {
	p := (*wino)(k)
	g, plane := i/p.src.blocks, i%p.src.blocks
	width := p.blocks(g) * block
	first := g * p.kernels.Blocks * block
	l := &p.weights
	turned, weights := &p.args[worker].window, p.args[worker].weights[:len(p.places)]
	for c := plane * block; c < min((plane+1)*block, l.srcs); c++ {
		u := p.u[p.panel(g)+c*width:]
		for lane := range min(width, l.dsts-first) {
			window := p.conv.w.data[c*l.src+(first+lane)*l.dst:][:9]
			copy(turned[:], window)
			if p.transposed {
				for t, v := range window {
					turned[8-t] = v
				}
			}
			p.window(weights, turned)
			for t, v := range weights {
				u[p.places[t]*width+lane] = float32(v)
			}
		}
	}
}
