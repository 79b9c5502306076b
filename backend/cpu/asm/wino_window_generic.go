package asm

import "unsafe"

// plain is the portable weights' transform.
func (a *WinoWindows) plain() { a.generic(WinoPoints) }

// strided is that of stride 2.
func (a *WinoWindows) strided() { a.generic(WinoStridePoints) }

func (a *WinoWindows) generic(products int) {
	var memory [WinoStridePoints]float64
	u := memory[:products]
	offs := unsafe.Slice((*int)(a.Offs), products)
	for channel := range a.Channels {
		for lane := range 16 {
			var g [9]float32
			for tap := range g {
				g[tap] = *at(a.G, 64*(9*channel+tap)+4*lane)
			}
			if products == WinoPoints {
				WinoWeights(u, &g)
			} else {
				WinoStrideWeights(u, &g)
			}
			for i, v := range u {
				*at(a.U, offs[i]+channel*a.UChannel+4*lane) = float32(v)
			}
		}
	}
}
