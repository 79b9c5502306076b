package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// writeFold writes the kernel of asm.ConvFold for up to 4 channels and a multiple of 4
// pixels: the sums of 4 pixels are 4×4 numbers, which are transposed in registers.
func writeFold(v vectors) {
	name := "convFold" + v.suffix
	TEXT(name, nosplit, "func(a *ConvFold)")
	Pragma("noescape")
	Doc(name + " is the fold kernel for up to 4 channels and a multiple of 4 pixels.")
	src, dst, pixels := argument("Src"), argument("Dst"), argument("Pixels")
	offs, numOffs := argument("Offs"), argument("NumOffs")
	channels, plane := argument("Channels"), argument("Plane")
	p, i, left := GP64(), GP64(), GP64()
	var x [4]reg.VecVirtual
	for i := range x {
		x[i] = XMM()
	}

	Label("quad")
	for i := range x {
		VXORPS(x[i], x[i], x[i])
	}
	XORQ(i, i)
	Label("tap")
	MOVQ(Mem{Base: offs, Index: i, Scale: 8}, p)
	ADDQ(src, p)
	for i := range x {
		VADDPS(Mem{Base: p, Disp: 64 * i}, x[i], x[i])
	}
	INCQ(i)
	CMPQ(i, numOffs)
	JNE(LabelRef("tap"))
	low, high := [2]reg.VecVirtual{XMM(), XMM()}, [2]reg.VecVirtual{XMM(), XMM()}
	for i := range low {
		VUNPCKLPS(x[2*i+1], x[2*i], low[i])
		VUNPCKHPS(x[2*i+1], x[2*i], high[i])
	}
	MOVQ(dst, p)
	MOVQ(channels, left)
	row := XMM()
	for c := range 4 {
		half := low
		if c >= 2 {
			half = high
		}
		if c%2 == 0 {
			VUNPCKLPD(half[1], half[0], row)
		} else {
			VUNPCKHPD(half[1], half[0], row)
		}
		VMOVUPS(row, Mem{Base: p})
		if c < 3 {
			DECQ(left)
			JE(LabelRef("stored"))
			ADDQ(plane, p)
		}
	}
	Label("stored")
	ADDQ(Imm(16), dst)
	ADDQ(I32(256), src)
	SUBQ(Imm(4), pixels)
	JNE(LabelRef("quad"))
	v.ret()
}
