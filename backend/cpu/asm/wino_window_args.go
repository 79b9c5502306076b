package asm

import "unsafe"

// WinoWindows are the arguments of the weights' transform for 16 lanes and each of
// Channels channels:
//
//	U[Offs[product] + channel·UChannel + 4·lane] from G[channel][tap][lane],  tap < 9
//
// as WinoWeights or WinoStrideWeights write them, in float64 and then rounded: it is done
// once a step and its error would enter every output. UChannel is in bytes.
type WinoWindows struct {
	G        unsafe.Pointer
	U        unsafe.Pointer
	Offs     unsafe.Pointer // ints: bytes
	UChannel int
	Channels int // at least 1
}
