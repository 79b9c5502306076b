package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pixelStrides holds multiples of a stride, so that up to 16 pixels can be addressed
// from two pointers.
type pixelStrides struct {
	p, p8      reg.Register // pixels 0 and 8
	s1, s3, s5 reg.Register
	s7         reg.Register
}

func (s *pixelStrides) at(pixel, bytes int) Mem {
	base := s.p
	if pixel >= 8 {
		base, pixel = s.p8, pixel-8
	}
	m := Mem{Base: base, Disp: bytes}
	switch pixel {
	case 1, 2, 4:
		m.Index, m.Scale = s.s1, uint8(pixel)
	case 3, 6:
		m.Index, m.Scale = s.s3, uint8(pixel/3)
	case 5:
		m.Index, m.Scale = s.s5, 1
	case 7:
		m.Index, m.Scale = s.s7, 1
	}
	return m
}

// newPixelStrides computes the multiples of stride that pixels need.
func newPixelStrides(stride reg.Register, pixels int) *pixelStrides {
	s := &pixelStrides{p: GP64(), s1: stride}
	multiple := func(base reg.Register, scale uint8) reg.Register {
		r := GP64()
		LEAQ(Mem{Base: base, Index: stride, Scale: scale}, r)
		return r
	}
	if pixels > 3 {
		s.s3 = multiple(stride, 2)
	}
	if pixels > 5 {
		s.s5 = multiple(stride, 4)
	}
	if pixels > 7 {
		s.s7 = multiple(s.s3, 4)
	}
	if pixels > 8 {
		s.p8 = GP64()
	}
	return s
}

// tileKernel is one of the kernels of asm.ConvTile.
type tileKernel struct {
	name           string
	blocks, pixels int
	taps           int // 1, or 3 for a window kernel
}

// writeTile writes a kernel of asm.ConvTile.
func writeTile(v vectors, k tileKernel) {
	TEXT(k.name, nosplit, "func(a *ConvTile)")
	Pragma("noescape")
	kind := "tile"
	if k.taps > 1 {
		kind = "window"
	}
	Doc(fmt.Sprintf("%s is the %s kernel for %d pixels and %d channels.", k.name, kind, k.pixels, 16*k.blocks))
	pixels, reads := k.pixels, k.pixels+k.taps-1

	x, offs, tiles := argument("X"), argument("Offs"), argument("Tiles")
	strides := newPixelStrides(argument("XPixel"), reads)
	moved := GP64() // bytes the outputs of this tile lie behind those of the first
	XORQ(moved, moved)
	end := argument("NumOffs")
	LEAQ(Mem{Base: offs, Index: end, Scale: 8}, end)
	acc := v.accumulators(pixels, k.blocks)
	lanes := k.blocks * v.perBlock * v.bytes
	step := k.taps * lanes

	Label("tile")
	bias := argument("Bias")
	for r := range acc {
		for l := range acc[r] {
			if r == 0 {
				VMOVUPS(Mem{Base: bias, Disp: l * v.bytes}, acc[r][l])
			} else {
				VMOVAPS(acc[0][l], acc[r][l])
			}
		}
	}
	w, off := argument("W"), GP64()
	MOVQ(offs, off)
	CMPQ(off, end)
	JE(LabelRef("sum"))

	Label("offset")
	MOVQ(Mem{Base: off}, strides.p)
	ADDQ(x, strides.p)
	if reads > 8 {
		LEAQ(Mem{Base: strides.p, Index: strides.s1, Scale: 8}, strides.p8)
	}
	sum := func(unroll int) {
		for u := range unroll {
			v.multiply(acc, k.taps,
				func(t, l int) Mem { return Mem{Base: w, Disp: u*step + t*lanes + l*v.bytes} },
				func(r int) Mem { return strides.at(r, 4*u) })
		}
		ADDQ(I32(unroll*step), w)
		ADDQ(Imm(uint64(4*unroll)), strides.p)
		if reads > 8 {
			ADDQ(Imm(uint64(4*unroll)), strides.p8)
		}
	}
	inner := argument("Inner")
	if k.taps == 1 { // a window's step is long enough as it is
		SUBQ(Imm(4), inner)
		JLT(LabelRef("few"))
		Label("four")
		sum(4)
		SUBQ(Imm(4), inner)
		JGE(LabelRef("four"))
		Label("few")
		ADDQ(Imm(4), inner)
		JE(LabelRef("next"))
	}
	Label("one")
	sum(1)
	DECQ(inner)
	JNE(LabelRef("one"))
	Label("next")
	ADDQ(Imm(8), off)
	CMPQ(off, end)
	JNE(LabelRef("offset"))

	Label("sum")
	v.epilogue(acc, moved)
	DECQ(tiles)
	JE(LabelRef("done"))
	IMUL3Q(Imm(uint64(pixels)), strides.s1, w)
	ADDQ(w, x)
	pixel := argument("Pixel")
	IMUL3Q(Imm(uint64(pixels)), pixel, pixel)
	ADDQ(pixel, moved)
	JMP(LabelRef("tile"))
	Label("done")
	v.ret()
}

// epilogue finishes a tile's sums and stores them.
func (v *vectors) epilogue(acc accumulators, moved reg.Register) {
	slope := v.new()
	VBROADCASTSS(field("Slope"), slope)
	pixel, plane := argument("Pixel"), argument("Plane")

	v.operand(acc, "Sign", moved, pixel, plane, v.signs(slope))
	v.operand(acc, "Residual", moved, pixel, plane, func(a reg.VecVirtual, m Mem) { VADDPS(m, a, a) })
	v.operand(acc, "Raw", moved, pixel, plane, func(a reg.VecVirtual, m Mem) { VMOVUPS(a, m) })
	v.operand(acc, "Act", moved, pixel, plane, func(a reg.VecVirtual, m Mem) {
		y := v.new()
		VMULPS(a, slope, y)
		VMAXPS(y, a, y)
		VMOVUPS(y, m)
	})
}

// operand calls f for each register of a tile with its place in the tensor of the given
// name, or skips all if there is none.
func (v *vectors) operand(acc accumulators, name string, moved, pixel, plane reg.Register, f func(reg.VecVirtual, Mem)) {
	without := "without" + name
	p := argument(name)
	TESTQ(p, p)
	JE(LabelRef(without))
	ADDQ(moved, p)
	for r := range acc {
		for l, a := range acc[r] {
			m := Mem{Base: p, Disp: l % v.perBlock * v.bytes}
			if l >= v.perBlock {
				m.Index, m.Scale = plane, 1
			}
			f(a, m)
		}
		if r < len(acc)-1 {
			ADDQ(pixel, p)
		}
	}
	Label(without)
}

// signs returns the code that multiplies by slope what has no positive sign.
func (v *vectors) signs(slope reg.VecVirtual) func(reg.VecVirtual, Mem) {
	const notLess = 5 // !(0 < sign), true for NaN
	zero := v.new()
	if v.masks {
		VPXORD(zero, zero, zero)
		return func(a reg.VecVirtual, m Mem) {
			k := K()
			VCMPPS(Imm(notLess), m, zero, k)
			VMULPS(a, slope, k, a)
		}
	}
	VXORPS(zero, zero, zero)
	return func(a reg.VecVirtual, m Mem) {
		mask, scaled := v.new(), v.new()
		VCMPPS(Imm(notLess), m, zero, mask)
		VMULPS(a, slope, scaled)
		VBLENDVPS(mask, scaled, a, a)
	}
}
