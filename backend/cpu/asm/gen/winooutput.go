package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// outputMatrix multiplies columns by Aᵀ (see asm.WinoOutput). Columns have the points
// 0 (if zero), ±p, ±q and, if they are long enough, ∞.
type outputMatrix struct {
	numbers
	zero                 int // 1 if 0 is a point
	p, q, p2, q2, p3, q3 *number
}

func newOutputMatrix(v *vectors, prefix string, zero int, p, q float64) *outputMatrix {
	a := &outputMatrix{numbers: numbers{v: v, prefix: prefix}, zero: zero}
	a.p, a.q = a.number(p), a.number(q)
	a.p2, a.q2, a.p3, a.q3 = a.number(p*p), a.number(q*q), a.number(p*p*p), a.number(q*q*q)
	return a
}

// times is the product with a column of n points, whose registers it may overwrite.
func (a *outputMatrix) times(n int, m column) [4]reg.VecVirtual {
	finite := m.from(a.zero)
	evenP, oddP := sumAndDifference(a.v, finite(0), finite(1))
	evenQ, oddQ := sumAndDifference(a.v, finite(2), finite(3))
	// In an order that frees registers soon: the AVX-512 transform needs all 32.
	y0 := a.first(m, evenP, evenQ)
	y2 := a.weighted(a.p2, a.q2, evenP, evenQ, evenP)
	y1 := a.weighted(a.p, a.q, oddP, oddQ, a.v.new())
	y3 := a.last(n, m, oddP, oddQ)
	return [4]reg.VecVirtual{y0, y1, y2, y3}
}

// even is rows 0 and 2 of the product with a column in memory, odd is rows 1 and 3.
func (a *outputMatrix) even(m column) [2]reg.VecVirtual {
	finite := m.from(a.zero)
	evenP, evenQ := a.v.copy(finite(0)), a.v.copy(finite(2))
	VADDPS(finite(1), evenP, evenP)
	VADDPS(finite(3), evenQ, evenQ)
	y0 := a.first(m, evenP, evenQ)
	return [2]reg.VecVirtual{y0, a.weighted(a.p2, a.q2, evenP, evenQ, evenP)}
}

func (a *outputMatrix) odd(n int, m column) [2]reg.VecVirtual {
	finite := m.from(a.zero)
	oddP, oddQ := a.v.copy(finite(0)), a.v.copy(finite(2))
	VSUBPS(finite(1), oddP, oddP)
	VSUBPS(finite(3), oddQ, oddQ)
	y1 := a.weighted(a.p, a.q, oddP, oddQ, a.v.new())
	return [2]reg.VecVirtual{y1, a.last(n, m, oddP, oddQ)}
}

// first is row 0, from the sums at ±p and at ±q.
func (a *outputMatrix) first(m column, evenP, evenQ reg.VecVirtual) reg.VecVirtual {
	var y reg.VecVirtual
	if a.zero > 0 {
		y = a.v.own(m(0))
		VADDPS(evenP, y, y)
	} else {
		y = a.v.copy(evenP)
	}
	VADDPS(evenQ, y, y)
	return y
}

// last is row 3, from the differences at ±p, whose register it takes, and at ±q.
func (a *outputMatrix) last(n int, m column, oddP, oddQ reg.VecVirtual) reg.VecVirtual {
	a.weighted(a.p3, a.q3, oddP, oddQ, oddP)
	if n > a.zero+4 {
		VADDPS(m(n-1), oddP, oddP)
	}
	return oddP
}

// weighted sets to, which may be x, to p·x + q·y.
func (a *outputMatrix) weighted(p, q *number, x, y, to reg.VecVirtual) reg.VecVirtual {
	VMULPS(p.op(), x, to)
	addProduct(q, y, to)
	return to
}

// sumAndDifference of two operands, whose registers it may overwrite.
func sumAndDifference(v *vectors, x, y Op) (sum, difference reg.VecVirtual) {
	first, second := v.own(x), v.own(y)
	sum = v.new()
	VADDPS(second, first, sum)
	VSUBPS(second, first, first)
	return sum, first
}

// outputWalk is where the output transform reads and writes.
type outputWalk struct {
	v     *vectors
	k     outputKernel
	m     *outputMatrix
	from  *pixelStrides // rows of points
	point reg.Register  // bytes from one point to the next
	first reg.Register  // of the tile's points
	to    *pixelStrides // rows of the outputs
	moved reg.Register  // bytes the outputs lie behind the first tile's of the first block
	bias  reg.Register
	label int // labels given out
}

// outputKernel is one of the kernels of asm.WinoOutput.
type outputKernel struct {
	name          string
	rows, columns int // of points
	step          int // pixels from one output to the next
}

// writeWinoOutput writes a kernel of asm.WinoOutput.
func writeWinoOutput(v vectors, k outputKernel) {
	prefix := "winoOutput" + k.name
	begin(prefix+v.suffix, "WinoOutput", fmt.Sprintf("is the output transform of %d×%d points to pixels %d apart", k.rows, k.columns, k.step))
	zero, p, q := 0, strideP, strideQ
	if k.rows == 6 {
		zero, p, q = 1, winoP, winoQ
	}
	matrix := newOutputMatrix(&v, prefix, zero, p, q)
	m, point := argument("M"), argument("MPoint")
	row := GP64()
	IMUL3Q(Imm(uint64(k.columns)), point, row)
	w := &outputWalk{v: &v, k: k, m: matrix, from: newPixelStrides(row, k.rows), point: point, to: newPixelStrides(argument("Row"), 4)}
	w.first, w.moved, w.bias = GP64(), GP64(), argument("Bias")
	plane, tiles := GP64(), GP64()
	XORQ(plane, plane)

	Label("block")
	MOVQ(m, w.first)
	MOVQ(plane, w.moved)
	MOVQ(field("Tiles"), tiles)
	Label("tile")
	if v.masks {
		w.inRegisters()
	} else {
		for half := range v.perBlock {
			w.inHalves(half * v.bytes)
		}
	}
	ADDQ(field("MTile"), w.first)
	ADDQ(I32(4*64*k.step), w.moved)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	ADDQ(Imm(64), m)
	ADDQ(Imm(64), w.bias)
	ADDQ(field("Plane"), plane)
	DECQ(field("Blocks"))
	JNE(LabelRef("block"))
	v.ret()
}

// inRegisters transforms a tile with 32 registers.
func (w *outputWalk) inRegisters() {
	var half [4][]reg.VecVirtual // Aᵀ M
	MOVQ(w.first, w.from.p)
	for c := range w.k.columns {
		for i, y := range w.m.times(w.k.rows, func(i int) Op { return w.from.at(i, 0) }) {
			half[i] = append(half[i], y)
		}
		if c < w.k.columns-1 {
			ADDQ(w.point, w.from.p)
		}
	}
	var out [][4]reg.VecVirtual
	for _, row := range half {
		out = append(out, w.m.times(w.k.columns, registers(row)))
	}
	w.epilogue(rows{0, 1}, 0, out)
}

// inHalves transforms 8 channels of a tile with 16 registers: rows 0 and 2 of Aᵀ M, which
// share intermediate values, then rows 1 and 3.
func (w *outputWalk) inHalves(off int) {
	for first, times := range []func(column) [2]reg.VecVirtual{w.m.even, func(m column) [2]reg.VecVirtual { return w.m.odd(w.k.rows, m) }} {
		var half [2][]reg.VecVirtual
		MOVQ(w.first, w.from.p)
		w.m.bring()
		for c := range w.k.columns {
			for i, y := range times(func(i int) Op { return w.from.at(i, off) }) {
				half[i] = append(half[i], y)
			}
			if c < w.k.columns-1 {
				ADDQ(w.point, w.from.p)
			}
		}
		w.m.leave()
		var out [][4]reg.VecVirtual
		for _, row := range half {
			out = append(out, w.m.times(w.k.columns, registers(row)))
		}
		w.epilogue(rows{first, 2}, off, out)
	}
}

// rows are some rows of a tile's outputs.
type rows struct{ first, step int }

// epilogue finishes rows of outputs and stores them. It takes several at a time, as branches
// around the operands that there aren't cost more than what they skip.
func (w *outputWalk) epilogue(at rows, off int, y [][4]reg.VecVirtual) {
	v := w.v
	bias := v.copy(Mem{Base: w.bias, Disp: off})
	for _, r := range y {
		for _, a := range r {
			VADDPS(bias, a, a)
		}
	}
	slope := v.new()
	VBROADCASTSS(field("Slope"), slope)
	w.operand("Sign", at, off, y, v.signs(slope))
	w.operand("Residual", at, off, y, func(a reg.VecVirtual, m Mem) { VADDPS(m, a, a) })
	w.operand("Raw", at, off, y, func(a reg.VecVirtual, m Mem) { VMOVUPS(a, m) })
	w.operand("Act", at, off, y, func(a reg.VecVirtual, m Mem) {
		t := v.new()
		VMULPS(a, slope, t)
		VMAXPS(t, a, t)
		VMOVUPS(t, m)
	})
}

// operand calls f for each register with its place in the tensor of the given name, or
// skips all if there is none.
func (w *outputWalk) operand(name string, at rows, off int, y [][4]reg.VecVirtual, f func(reg.VecVirtual, Mem)) {
	w.label++
	without := fmt.Sprint("without", name, w.label)
	MOVQ(field(name), w.to.p)
	TESTQ(w.to.p, w.to.p)
	JE(LabelRef(without))
	ADDQ(w.moved, w.to.p)
	for r, registers := range y {
		for c, a := range registers {
			f(a, w.to.at(at.first+at.step*r, 64*w.k.step*c+off))
		}
	}
	Label(without)
}
