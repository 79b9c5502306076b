package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// writeWinoSpread writes the kernel of asm.WinoSpread. It takes four lanes at a time.
func writeWinoSpread(v vectors) {
	begin("winoSpread"+v.suffix, "WinoSpread", "adds the gradients of 16 output channels to where each has its own")
	from, toLane := argument("From"), argument("ToLane")
	start, next, at, lanes, left := argument("To"), GP64(), GP64(), GP64(), GP64()
	to := newPixelStrides(toLane, 4)
	MOVQ(I32(16/4), lanes)

	Label("lanes")
	MOVQ(from, at)
	MOVQ(start, to.p)
	LEAQ(Mem{Base: start, Index: toLane, Scale: 4}, next)
	MOVQ(field("Eights"), left)
	Label("eight")
	for lane, r := range fourLanes(at) {
		VADDPS(to.at(lane, 0), r, r)
		VMOVUPS(r, to.at(lane, 0))
	}
	ADDQ(I32(8*64), at)
	ADDQ(Imm(32), to.p)
	DECQ(left)
	JNE(LabelRef("eight"))
	MOVQ(next, start)
	ADDQ(Imm(16), from)
	DECQ(lanes)
	JNE(LabelRef("lanes"))
	v.ret()
}

// fourLanes is four lanes of eight rows from memory, a lane in each register.
func fourLanes(at reg.Register) [4]reg.VecVirtual {
	var row [4]reg.VecVirtual // and the fourth after it
	for i := range row {
		row[i] = YMM()
		VMOVUPS(Mem{Base: at, Disp: 64 * i}, row[i].AsX())
		VINSERTF128(Imm(1), Mem{Base: at, Disp: 64 * (i + 4)}, row[i], row[i])
	}
	low, high := [2]reg.VecVirtual{YMM(), YMM()}, [2]reg.VecVirtual{YMM(), YMM()}
	for i := range 2 {
		VUNPCKLPS(row[2*i+1], row[2*i], low[i])
		VUNPCKHPS(row[2*i+1], row[2*i], high[i])
	}
	lane := [4]reg.VecVirtual{YMM(), YMM(), YMM(), YMM()}
	VUNPCKLPD(low[1], low[0], lane[0])
	VUNPCKHPD(low[1], low[0], lane[1])
	VUNPCKLPD(high[1], high[0], lane[2])
	VUNPCKHPD(high[1], high[0], lane[3])
	return lane
}
