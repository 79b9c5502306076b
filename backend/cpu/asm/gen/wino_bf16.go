package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// writeWinoBF16 writes the Winograd kernels that differ where products are of bf16.
func writeWinoBF16(isa string) {
	v, ok := convVectors[isa]
	if !ok || !v.masks {
		fail("no bf16 kernels for %q", isa)
	}
	v.bf16, v.suffix = true, v.suffix+"BF16"
	encodeBF16()
	declare("../wino_args.go", "WinoInput", "WinoProduct", "WinoOutput")
	for blocks := 1; blocks <= 2; blocks++ {
		for _, tiles := range v.tiles[blocks] {
			writeWinoProduct(v, tiles, blocks)
		}
	}
	writeWinoInput(v)
	declare("../wino_stride_args.go", "WinoPhases")
	writeWinoPhases(v)
	writeWinoFive(v)
	writeWinoPairs(v)
}

// dot is multiply for pairs of bf16 with one tap, from memory where multiply does so.
func (v *vectors) dot(acc accumulators, weights func(tap, lane int) Mem, source func(row int) Mem) {
	var w []reg.VecVirtual
	for l := range acc[0] {
		w = append(w, v.new())
		VMOVUPS(weights(0, l), w[l])
	}
	for r := range acc {
		if len(acc[r]) == 1 {
			dotPairs(source(r), w[0], acc[r][0])
			continue
		}
		x := v.new()
		VBROADCASTSS(source(r), x)
		for l, a := range acc[r] {
			dotPairs(w[l], x, a)
		}
	}
}

// transformed is the bytes of 16 channels' transformed inputs.
func (v *vectors) transformed() int {
	if v.bf16 {
		return 32
	}
	return 64
}

// ahead is the lines that a step brings to the cache where one of float32 brings so many: there
// are half as many steps in bf16.
func (v *vectors) ahead(lines int) int {
	if v.bf16 {
		return 2 * lines
	}
	return lines
}

// keep stores transformed inputs, whose register it may overwrite.
func (v *vectors) keep(t reg.VecVirtual, to Mem) {
	if v.bf16 {
		VMOVUPS(toBF16(t), to)
	} else {
		VMOVUPS(t, to)
	}
}

// writeWinoPairs writes the kernel of asm.WinoPairs.
func writeWinoPairs(v vectors) {
	name := "winoPairs" + v.suffix
	declare("../wino_bf16_args.go", "WinoPairs")
	begin(name, "WinoPairs", "rounds transformed weights to pairs of bf16")
	order := GLOBL(name+"Order", 8|16) // RODATA|NOPTR
	for lane := range 16 {             // of the lower half, then of the upper one
		DATA(4*lane, U32(lane|(lane+16)<<16))
	}
	from, offs, step, products := argument("From"), argument("Offs"), argument("UPair"), argument("Products")
	u, to, index := argument("U"), GP64(), v.copy(order)
	Label("product")
	MOVQ(Mem{Base: offs}, to)
	ADDQ(u, to)
	for pair := range 8 {
		low, high := v.copy(Mem{Base: from, Disp: 128 * pair}), v.copy(Mem{Base: from, Disp: 128*pair + 64})
		bothToBF16(low, high, high)
		VPERMW(high, index, high)
		VMOVUPS(high, Mem{Base: to})
		if pair < 7 {
			ADDQ(step, to)
		}
	}
	ADDQ(Imm(8), offs)
	ADDQ(I32(16*64), from)
	DECQ(products)
	JNE(LabelRef("product"))
	v.ret()
}
