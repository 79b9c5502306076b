package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// peakChains is how many multiply-adds are under way at once: latency (4 cycles) times
// two a cycle is 8, and some to spare.
const peakChains = 12

// writePeak writes the loop that does nothing but multiply-adds in registers.
func writePeak(isa string) {
	v, ok := convVectors[isa]
	if !ok {
		fail("no multiply-add loop for %q", isa)
	}
	name := "peak" + v.suffix
	TEXT(name, nosplit, "func(rounds int)")
	Doc(name + " does rounds of 12 independent multiply-adds of full registers.")
	rounds := GP64()
	Load(Param("rounds"), rounds)
	var chains [peakChains]reg.VecVirtual
	for i := range chains {
		chains[i] = v.new()
		VXORPS(chains[i], chains[i], chains[i])
	}
	x := v.new()
	VXORPS(x, x, x)
	Label("round")
	for _, c := range chains {
		VFMADD231PS(x, x, c)
	}
	DECQ(rounds)
	JNE(LabelRef("round"))
	v.ret()
}
