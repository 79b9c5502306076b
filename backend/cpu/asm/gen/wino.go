package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The points of Winograd's transforms: asm.WinoP, asm.WinoQ.
const (
	winoP = 0.625
	winoQ = 1.5
)

// writeWino writes the Winograd kernels of an instruction set.
func writeWino(isa string) {
	v, ok := convVectors[isa]
	if !ok {
		fail("no Winograd kernels for %q", isa)
	}
	declare("../wino_args.go", "WinoInput", "WinoProduct", "WinoOutput")
	for blocks := 1; blocks <= 2; blocks++ {
		for _, tiles := range v.tiles[blocks] {
			writeWinoProduct(v, tiles, blocks)
		}
	}
	writeWinoInput(v)
	writeWinoOutput(v, outputKernel{rows: 6, columns: 6, step: 1})
	writeWinoGrad(v)
	writeWinoStride(v)
	writeWinoWindows(v)
}

// writeWinoProduct writes a kernel of asm.WinoProduct.
func writeWinoProduct(v vectors, tiles, blocks int) {
	name := fmt.Sprintf("winoProduct%dx%d%s", tiles, blocks, v.suffix)
	TEXT(name, nosplit, "func(a *WinoProduct)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is the product kernel for %d tiles and %d channels.", name, tiles, 16*blocks))
	from, u, m := argument("V"), argument("U"), argument("M")
	vBlock, blocksIn, groups := argument("VBlock"), argument("Blocks"), argument("Groups")
	acc := v.accumulators(tiles, blocks)
	lanes, perTile := blocks*v.perBlock*v.bytes, v.transformed()
	next, nextStep, dest, destStep := argument("Next"), argument("NextStep"), argument("Dest"), argument("DestStep")
	pv, pu, left, k := GP64(), GP64(), GP64(), GP64()
	SUBQ(Imm(uint64(perTile)), vBlock) // what is left to go after the 16 channels of a block

	Label("group")
	for r := range acc {
		for _, a := range acc[r] {
			v.zero(a)
		}
	}
	MOVQ(from, pv)
	MOVQ(u, pu)
	MOVQ(blocksIn, left)
	Label("block")
	MOVQ(I32(perTile/16), k)
	Label("four")
	for i := range 4 {
		weights := func(_, l int) Mem { return Mem{Base: pu, Disp: i*lanes + l*v.bytes} }
		source := func(r int) Mem { return Mem{Base: pv, Disp: perTile*r + 4*i} }
		if v.bf16 {
			v.dot(acc, weights, source)
		} else {
			v.multiply(acc, 1, weights, source)
		}
		for line := i; line < v.ahead(4); line += 4 {
			PREFETCHT1(Mem{Base: dest, Disp: 64 * line})
		}
		if i < v.ahead(2) {
			PREFETCHT1(Mem{Base: next, Disp: 64 * i})
		}
	}
	ADDQ(nextStep, next)
	ADDQ(destStep, dest)
	ADDQ(I32(4*lanes), pu)
	ADDQ(Imm(16), pv)
	DECQ(k)
	JNE(LabelRef("four"))
	ADDQ(vBlock, pv)
	DECQ(left)
	JNE(LabelRef("block"))

	for r := range acc {
		for l, a := range acc[r] {
			VMOVUPS(a, Mem{Base: m, Disp: r*lanes + l*v.bytes})
		}
	}
	ADDQ(I32(perTile*tiles), from)
	ADDQ(I32(lanes*tiles), m)
	DECQ(groups)
	JNE(LabelRef("group"))
	v.ret()
}

func (v *vectors) zero(r reg.VecVirtual) {
	if v.masks {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// constant loads a number into all lanes. Its name has a prefix, as each use needs a
// symbol of its own.
func (v *vectors) constant(prefix string, f float64) reg.VecVirtual {
	bits := math.Float32bits(float32(f))
	r := v.new()
	VBROADCASTSS(ConstData(fmt.Sprintf("%s%08x%s", prefix, bits, v.suffix), U32(bits)), r)
	return r
}

// own returns a register with the operand's value, which may be overwritten if the
// operand isn't used again.
func (v *vectors) own(o Op) reg.VecVirtual {
	if r, ok := o.(reg.VecVirtual); ok {
		return r
	}
	return v.copy(o)
}

func (v *vectors) copy(o Op) reg.VecVirtual {
	r := v.new()
	if _, ok := o.(Mem); ok {
		VMOVUPS(o, r)
	} else {
		VMOVAPS(o, r)
	}
	return r
}
