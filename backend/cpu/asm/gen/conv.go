package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors describes how an instruction set holds 16 channels.
type vectors struct {
	suffix   string // of the functions' names
	perBlock int    // registers for 16 channels
	bytes    int    // of one register
	new      func() reg.VecVirtual
	masks    bool // comparisons write mask registers

	tiles  map[int][]int // tile sizes in pixels, by blocks of a group
	outer  map[int]int   // most input floats of an outer product, by blocks of a group
	window int           // widest tile of the window kernels, 0 for none
}

var convVectors = map[string]vectors{
	"avx512": {
		suffix: "AVX512", perBlock: 1, bytes: 64, new: ZMM, masks: true,
		tiles:  map[int][]int{1: {1, 2, 3, 4, 5, 6, 7, 8, 16}, 2: {1, 2, 3, 4, 5, 6, 7, 8}},
		outer:  map[int]int{1: 8, 2: 8},
		window: 12,
	},
	"avx2": {
		suffix: "AVX2", perBlock: 2, bytes: 32, new: YMM,
		tiles: map[int][]int{1: {1, 2, 3, 4, 5, 6}},
		outer: map[int]int{1: 6},
	},
}

// writeConv writes the convolution kernels of an instruction set.
func writeConv(isa string) {
	v, ok := convVectors[isa]
	if !ok {
		fail("no convolution kernels for %q", isa)
	}
	declare("../conv_args.go", "ConvTile", "ConvOuter", "ConvFold")
	for blocks := 1; blocks <= 2; blocks++ {
		for _, pixels := range v.tiles[blocks] {
			writeTile(v, tileKernel{fmt.Sprintf("convTile%dx%d%s", pixels, blocks, v.suffix), blocks, pixels, 1})
		}
		for depth := 1; depth <= v.outer[blocks]; depth++ {
			writeOuter(v, blocks, depth)
		}
	}
	for pixels := 1; pixels <= v.window; pixels++ {
		writeTile(v, tileKernel{fmt.Sprintf("convWindow%d%s", pixels, v.suffix), 1, pixels, 3})
	}
	writeFold(v)
}

// accumulators are rows × registers of sums.
type accumulators [][]reg.VecVirtual

func (v *vectors) accumulators(rows, blocks int) accumulators {
	a := make(accumulators, rows)
	for r := range a {
		for range blocks * v.perBlock {
			a[r] = append(a[r], v.new())
		}
	}
	return a
}

// argument loads a field of the struct that the function's only parameter points to.
func argument(name string) reg.GPVirtual {
	r := GP64()
	MOVQ(field(name), r)
	return r
}

func field(name string) Mem {
	f, err := Dereference(Param("a")).Field(name).Resolve()
	if err != nil {
		fail("%v", err)
	}
	return f.Addr
}

// multiply adds one step of the sum to the accumulators: sum r gets source(r+t) times the
// lanes of weights(t), for each of the taps. A float is brought to a register once and
// used for all taps and lanes; as a memory operand it would be loaded again for each.
func (v *vectors) multiply(acc accumulators, taps int, weights func(tap, lane int) Mem, source func(row int) Mem) {
	w := v.accumulators(taps, 0)
	for t := range w {
		for l := range acc[0] {
			w[t] = append(w[t], v.new())
			VMOVUPS(weights(t, l), w[t][l])
		}
	}
	for i := range len(acc) + taps - 1 {
		x := v.new()
		VBROADCASTSS(source(i), x)
		for t := range taps {
			if r := i - t; 0 <= r && r < len(acc) {
				for l := range acc[r] {
					VFMADD231PS(w[t][l], x, acc[r][l])
				}
			}
		}
	}
}

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

// ret returns, leaving no upper halves behind that would slow down SSE code.
func (v *vectors) ret() {
	VZEROUPPER()
	RET()
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

// writeOuter writes the kernel of asm.ConvOuter for a number of input floats.
func writeOuter(v vectors, blocks, depth int) {
	name := fmt.Sprintf("convOuter%dx%d%s", depth, blocks, v.suffix)
	TEXT(name, nosplit, "func(a *ConvOuter)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is the outer-product kernel for %d input floats and %d channels.", name, depth, 16*blocks))

	x, dy, rows := argument("X"), argument("DY"), argument("Rows")
	xRow, xPixel := argument("XRow"), argument("XPixel")
	dyRow, dyPlane := argument("DYRow"), argument("DYPlane")
	cols := argument("Cols")
	sum := argument("Acc")
	acc := v.accumulators(depth, blocks)
	place := func(r, l int) Mem { return Mem{Base: sum, Disp: (r*len(acc[0]) + l) * v.bytes} }
	for r := range acc {
		for l := range acc[r] {
			VMOVUPS(place(r, l), acc[r][l])
		}
	}
	px, pd, left := GP64(), GP64(), GP64()

	Label("row")
	MOVQ(x, px)
	MOVQ(dy, pd)
	MOVQ(cols, left)
	Label("pixel")
	v.multiply(acc, 1,
		func(_, l int) Mem {
			m := Mem{Base: pd, Disp: l % v.perBlock * v.bytes}
			if l >= v.perBlock {
				m.Index, m.Scale = dyPlane, 1
			}
			return m
		},
		func(r int) Mem { return Mem{Base: px, Disp: 4 * r} })
	ADDQ(xPixel, px)
	ADDQ(Imm(64), pd)
	DECQ(left)
	JNE(LabelRef("pixel"))
	ADDQ(xRow, x)
	ADDQ(dyRow, dy)
	DECQ(rows)
	JNE(LabelRef("row"))

	for r := range acc {
		for l := range acc[r] {
			VMOVUPS(acc[r][l], place(r, l))
		}
	}
	v.ret()
}
