package main

import (
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// inputMatrix multiplies columns by Bᵀ (see asm.WinoInput).
type inputMatrix struct {
	numbers
	p, q, pp, qq     *number
	product, squares *number // p²q², p²+q²
}

// newInputMatrix is for the points ±p, ±q. Its constants have names with a prefix.
func newInputMatrix(v *vectors, prefix string, p, q float64) *inputMatrix {
	b := &inputMatrix{numbers: numbers{v: v, prefix: prefix}}
	pp, qq := p*p, q*q
	b.p, b.q, b.pp, b.qq = b.number(p), b.number(q), b.number(pp), b.number(qq)
	b.product, b.squares = b.number(pp*qq), b.number(pp+qq)
	return b
}

// column is where the elements of a column are, in memory or registers.
type column func(i int) Op

// from is the column without its first elements.
func (d column) from(first int) column { return func(i int) Op { return d(first + i) } }

// every is each second element.
func (d column) every(second int) column { return func(i int) Op { return d(second * i) } }

// registers is a column in registers.
func registers(r []reg.VecVirtual) column { return func(i int) Op { return r[i] } }

// outer is the row of the polynomial with all finite points but 0 as roots.
func (b *inputMatrix) outer(d column) reg.VecVirtual {
	t := b.v.copy(d(4))
	addProduct(b.product, d(0), t)
	subtractProduct(b.squares, d(2), t)
	return t
}

// pair is the two rows of ±p, or of ±q.
func (b *inputMatrix) pair(q bool, d column) (plus, minus reg.VecVirtual) {
	square, point := b.qq, b.p
	if q {
		square, point = b.pp, b.q
	}
	even, odd := b.v.copy(d(3)), b.v.copy(d(2))
	subtractProduct(square, d(1), even)
	subtractProduct(square, d(0), odd)
	VMULPS(point.op(), odd, odd)
	plus = b.v.new()
	VADDPS(odd, even, plus)
	VSUBPS(odd, even, even)
	return plus, even
}

// lines is the transform of a column: groups of rows that share intermediate values.
type lines []func(d column) []reg.VecVirtual

// pairs are the four rows of ±p and ±q, of a column's first four elements.
func (b *inputMatrix) pairs() lines {
	pair := func(q bool) func(column) []reg.VecVirtual {
		return func(d column) []reg.VecVirtual {
			plus, minus := b.pair(q, d)
			return []reg.VecVirtual{plus, minus}
		}
	}
	return lines{pair(false), pair(true)}
}

func (b *inputMatrix) last() lines {
	return lines{func(d column) []reg.VecVirtual { return []reg.VecVirtual{b.outer(d)} }}
}

// six are the rows of the points 0, ±p, ±q, ∞.
func (b *inputMatrix) six() lines {
	return slices.Concat(b.last(), b.pairs().of(func(d column) column { return d.from(1) }), b.last().of(func(d column) column { return d.from(1) }))
}

// five are the rows of the points ±p, ±q, ∞.
func (b *inputMatrix) five() lines { return slices.Concat(b.pairs(), b.last()) }

// of is the transform of a part of the column.
func (l lines) of(part func(d column) column) lines {
	var of lines
	for _, group := range l {
		of = append(of, func(d column) []reg.VecVirtual { return group(part(d)) })
	}
	return of
}

// all is the whole product; store is given each row as soon as it is there.
func (l lines) all(d column, store func(row int, r reg.VecVirtual)) {
	row := 0
	for _, group := range l {
		for _, r := range group(d) {
			store(row, r)
			row++
		}
	}
}

// inputWalk is where an input transform of uniform strides reads and writes.
type inputWalk struct {
	v     *vectors
	m     *inputMatrix
	lines lines
	size  int
	x     *pixelStrides // rows of the tile
	out   *pixelStrides // points of one row
	row   reg.Register  // bytes from one row of points to the next
	first reg.Register  // of the tile's points
}

// writeWinoInput writes the kernel of asm.WinoInput.
func writeWinoInput(v vectors) {
	begin("winoInput"+v.suffix, "WinoInput", "is the input transform")
	m := newInputMatrix(&v, "winoIn", winoP, winoQ)
	(&inputWalk{v: &v, m: m, lines: m.six(), size: 6}).write()
}

// begin starts a kernel with arguments of the given type.
func begin(name, args, is string) {
	TEXT(name, nosplit, "func(a *"+args+")")
	Pragma("noescape")
	Doc(name + " " + is + ".")
}

func (w *inputWalk) write() {
	v := w.v
	x, out := argument("X"), argument("V")
	w.x, w.out = newPixelStrides(argument("XRow"), w.size), newPixelStrides(argument("VPoint"), w.size)
	w.row, w.first = GP64(), GP64()
	IMUL3Q(Imm(uint64(w.size)), w.out.s1, w.row)
	tiles := GP64()

	Label("block")
	MOVQ(x, w.x.p)
	MOVQ(out, w.first)
	MOVQ(field("Tiles"), tiles)
	Label("tile")
	for half := range v.perBlock {
		w.tile(half * v.bytes)
	}
	ADDQ(I32(4*64), w.x.p)
	ADDQ(Imm(uint64(v.transformed())), w.first)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	ADDQ(field("XPlane"), x)
	ADDQ(field("VBlock"), out)
	DECQ(field("Blocks"))
	JNE(LabelRef("block"))
	v.ret()
}

// tile transforms one register's channels of a tile: the rows of Bᵀ d that share
// intermediate values at a time, so that nothing but the result is stored.
func (w *inputWalk) tile(off int) {
	MOVQ(w.first, w.out.p)
	for _, group := range w.lines {
		var rows [2][]reg.VecVirtual
		n := 0
		w.m.bring()
		for c := range w.size {
			for i, t := range group(func(i int) Op { return w.x.at(i, 64*c+off) }) {
				rows[i] = append(rows[i], t)
				n = i + 1
			}
		}
		w.m.leave()
		for _, row := range rows[:n] {
			w.lines.all(registers(row), func(c int, t reg.VecVirtual) { w.v.keep(t, w.out.at(c, off)) })
			ADDQ(w.row, w.out.p)
		}
	}
}
