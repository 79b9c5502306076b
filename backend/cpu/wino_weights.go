package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// winoPacking is the region that transforms a plan's weights; a part is one group of
// output channels and one block of source channels. Padded channels have zeros.
type winoPacking wino

// winoWindows is the working memory of a part, in floats: [channel][tap][lane].
const winoWindows = block * 9 * block

// pack transforms the weights.
func (p *wino) pack() {
	parts := p.groups * p.src.blocks
	if p.kernels.Pairs != nil {
		p.conv.d.workers.run(parts, (*winoPairing)(p))
		return
	}
	p.conv.d.workers.run(parts, (*winoPacking)(p))
}

// packingSize is the working memory of a part of that, in floats.
func (p *wino) packingSize() int {
	if p.kernels.Pairs != nil {
		return winoWindows + len(p.places)*block*block
	}
	return winoWindows
}

// part implements region.
func (k *winoPacking) part(i, worker int) {
	p := (*wino)(k)
	g, plane := i/p.src.blocks, i%p.src.blocks
	blocks, channels := p.blocks(g), min(block, p.weights.srcs-plane*block)
	windows := p.conv.d.scratch.worker[worker][:winoWindows]
	a := &p.args[worker].windows
	for b := range blocks {
		k.gather(windows, (g*p.kernels.Blocks+b)*block, plane*block, channels)
		*a = asm.WinoWindows{
			G: unsafe.Pointer(&windows[0]), U: unsafe.Pointer(&p.u[p.panel(g)+(plane*blocks*block+b)*block]),
			Offs: unsafe.Pointer(&p.bytes[blocks][0]), UChannel: 4 * blocks * block, Channels: channels,
		}
		p.kernels.Windows[p.conv.spec.Stride](a)
	}
	*a = asm.WinoWindows{}
}

// gather brings the windows of 16 lanes and some source channels side by side, turned
// around if transposed.
func (k *winoPacking) gather(to []float32, lane, channel, channels int) {
	l := &k.weights
	lanes := min(block, l.dsts-lane)
	if lanes < block {
		clear(to)
	}
	for i := range lanes {
		from := k.conv.w.data[(lane+i)*l.dst+channel*l.src:]
		for c := range channels {
			window, lanes := (*[9]float32)(from[c*l.src:]), (*[8*block + 1]float32)(to[9*block*c+i:])
			if k.transposed {
				for t, v := range window {
					lanes[(8-t)*block] = v
				}
				continue
			}
			for t, v := range window {
				lanes[t*block] = v
			}
		}
	}
}
