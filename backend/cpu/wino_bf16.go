package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// winoPairing is winoPacking for weights of bf16: they are transformed in float32, in the
// worker's own memory, and from there rounded to their place in pairs of channels.
type winoPairing wino

// part implements region.
func (k *winoPairing) part(i, worker int) {
	p := (*wino)(k)
	g, plane := i/p.src.blocks, i%p.src.blocks
	blocks, channels := p.blocks(g), min(block, p.weights.srcs-plane*block)
	memory := p.conv.d.scratch.worker[worker][:p.packingSize()]
	windows, products := memory[:winoWindows], memory[winoWindows:]
	if channels < block {
		clear(products)
	}
	a, pairs := &p.args[worker].windows, &p.args[worker].pairs
	for b := range blocks {
		(*winoPacking)(p).gather(windows, (g*p.kernels.Blocks+b)*block, plane*block, channels)
		*a = asm.WinoWindows{
			G: unsafe.Pointer(&windows[0]), U: unsafe.Pointer(&products[0]),
			Offs: unsafe.Pointer(&p.apart[0]), UChannel: 4 * block, Channels: channels,
		}
		p.kernels.Windows[p.conv.spec.Stride](a)
		*pairs = asm.WinoPairs{
			From: unsafe.Pointer(&products[0]), U: unsafe.Pointer(&p.u[p.panel(g)+p.stored(plane*blocks*block*block)+b*block]),
			Offs: unsafe.Pointer(&p.bytes[blocks][0]), UPair: 4 * blocks * block, Products: len(p.places),
		}
		p.kernels.Pairs(pairs)
	}
	*a, *pairs = asm.WinoWindows{}, asm.WinoPairs{}
}
