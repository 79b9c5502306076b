package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// inputMatrix multiplies columns by Bᵀ (see asm.WinoInput).
type inputMatrix struct {
	v                *vectors
	p, q, pp, qq     reg.VecVirtual
	product, squares reg.VecVirtual // p²q², p²+q²
}

func newInputMatrix(v *vectors) *inputMatrix {
	const pp, qq = winoP * winoP, winoQ * winoQ
	return &inputMatrix{
		v: v,
		p: v.constant("winoIn", winoP), q: v.constant("winoIn", winoQ), pp: v.constant("winoIn", pp), qq: v.constant("winoIn", qq),
		product: v.constant("winoIn", pp*qq), squares: v.constant("winoIn", pp+qq),
	}
}

// column is where the six elements of a column are, in memory or registers.
type column func(i int) Op

// outer is row 0 (first = 0) or row 5 (first = 1).
func (b *inputMatrix) outer(first int, d column) reg.VecVirtual {
	t := b.v.copy(d(first + 4))
	VFMADD231PS(d(first), b.product, t)
	VFNMADD231PS(d(first+2), b.squares, t)
	return t
}

// pair is the two rows of ±p, or of ±q.
func (b *inputMatrix) pair(q bool, d column) (plus, minus reg.VecVirtual) {
	square, point := b.qq, b.p
	if q {
		square, point = b.pp, b.q
	}
	even, odd := b.v.copy(d(4)), b.v.copy(d(3))
	VFNMADD231PS(d(2), square, even)
	VFNMADD231PS(d(1), square, odd)
	VMULPS(point, odd, odd)
	plus = b.v.new()
	VADDPS(odd, even, plus)
	VSUBPS(odd, even, even)
	return plus, even
}

// all is the whole product; store is given each row as soon as it is there.
func (b *inputMatrix) all(d column, store func(row int, r reg.VecVirtual)) {
	store(0, b.outer(0, d))
	for i, q := range []bool{false, true} {
		plus, minus := b.pair(q, d)
		store(2*i+1, plus)
		store(2*i+2, minus)
	}
	store(5, b.outer(1, d))
}

// registers is a column in registers.
func registers(r []reg.VecVirtual) column { return func(i int) Op { return r[i] } }

// inputWalk is where the input transform reads and writes.
type inputWalk struct {
	v     *vectors
	m     *inputMatrix
	x     *pixelStrides // rows of the tile
	out   *pixelStrides // points of one row
	six   reg.Register  // bytes from one row of points to the next
	first reg.Register  // of the tile's points
}

// writeWinoInput writes the kernel of asm.WinoInput.
func writeWinoInput(v vectors) {
	TEXT("winoInput"+v.suffix, nosplit, "func(a *WinoInput)")
	Pragma("noescape")
	Doc("winoInput" + v.suffix + " is the input transform.")
	x, out := argument("X"), argument("V")
	w := &inputWalk{v: &v, m: newInputMatrix(&v), x: newPixelStrides(argument("XRow"), 6), out: newPixelStrides(argument("VPoint"), 6)}
	w.six, w.first = GP64(), GP64()
	IMUL3Q(Imm(6), w.out.s1, w.six)
	tiles := GP64()

	Label("block")
	MOVQ(x, w.x.p)
	MOVQ(out, w.first)
	MOVQ(field("Tiles"), tiles)
	Label("tile")
	if v.masks {
		w.inRegisters()
	} else {
		for half := range v.perBlock {
			w.inPlace(half * v.bytes)
		}
	}
	ADDQ(I32(4*64), w.x.p)
	ADDQ(Imm(64), w.first)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	ADDQ(field("XPlane"), x)
	ADDQ(field("VBlock"), out)
	DECQ(field("Blocks"))
	JNE(LabelRef("block"))
	v.ret()
}

// inRegisters transforms a tile with 32 registers: the rows of Bᵀ d that share
// intermediate values at a time, so that nothing but the result is stored.
func (w *inputWalk) inRegisters() {
	MOVQ(w.first, w.out.p)
	rows := func(f func(d column) []reg.VecVirtual) {
		var r [2][]reg.VecVirtual
		n := 0
		for c := range 6 {
			for i, t := range f(func(i int) Op { return w.x.at(i, 64*c) }) {
				r[i] = append(r[i], t)
				n = i + 1
			}
		}
		for _, row := range r[:n] {
			w.m.all(registers(row), func(c int, t reg.VecVirtual) { VMOVUPS(t, w.out.at(c, 0)) })
			ADDQ(w.six, w.out.p)
		}
	}
	pair := func(q bool) func(column) []reg.VecVirtual {
		return func(d column) []reg.VecVirtual {
			plus, minus := w.m.pair(q, d)
			return []reg.VecVirtual{plus, minus}
		}
	}
	rows(func(d column) []reg.VecVirtual { return []reg.VecVirtual{w.m.outer(0, d)} })
	rows(pair(false))
	rows(pair(true))
	rows(func(d column) []reg.VecVirtual { return []reg.VecVirtual{w.m.outer(1, d)} })
}

// inPlace transforms 8 channels of a tile with 16 registers: Bᵀ d goes to where the
// result will be.
func (w *inputWalk) inPlace(off int) {
	start := GP64()
	MOVQ(w.first, start)
	for c := range 6 {
		var d []reg.VecVirtual
		for i := range 6 {
			d = append(d, w.v.copy(w.x.at(i, 64*c+off)))
		}
		MOVQ(start, w.out.p)
		w.m.all(registers(d), func(r int, t reg.VecVirtual) {
			VMOVUPS(t, Mem{Base: w.out.p, Disp: off})
			ADDQ(w.six, w.out.p)
		})
		ADDQ(w.out.s1, start)
	}
	MOVQ(w.first, w.out.p)
	for range 6 {
		var d []reg.VecVirtual
		for c := range 6 {
			d = append(d, w.v.copy(w.out.at(c, off)))
		}
		w.m.all(registers(d), func(c int, t reg.VecVirtual) { VMOVUPS(t, w.out.at(c, off)) })
		ADDQ(w.six, w.out.p)
	}
}
