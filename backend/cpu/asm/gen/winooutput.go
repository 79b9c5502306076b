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
	v      *vectors
	zero   int // 1 if 0 is a point
	p, q   reg.VecVirtual
	p2, q2 reg.VecVirtual
	p3, q3 reg.VecVirtual
}

func newOutputMatrix(v *vectors, prefix string, zero int, p, q float64) *outputMatrix {
	c := func(f float64) reg.VecVirtual { return v.constant(prefix, f) }
	return &outputMatrix{v: v, zero: zero, p: c(p), q: c(q), p2: c(p * p), q2: c(q * q), p3: c(p * p * p), q3: c(q * q * q)}
}

// times is the product with a column of n points, whose registers it may overwrite.
func (a *outputMatrix) times(n int, m column) [4]reg.VecVirtual {
	finite := m.from(a.zero)
	evenP, oddP := sumAndDifference(a.v, finite(0), finite(1))
	evenQ, oddQ := sumAndDifference(a.v, finite(2), finite(3))
	// In an order that frees registers soon: the AVX-512 transform needs all 32.
	var y0 reg.VecVirtual
	if a.zero > 0 {
		y0 = a.v.own(m(0))
		VADDPS(evenP, y0, y0)
	} else {
		y0 = a.v.copy(evenP)
	}
	VADDPS(evenQ, y0, y0)
	VMULPS(a.p2, evenP, evenP)
	VFMADD231PS(evenQ, a.q2, evenP)
	y1 := a.v.new()
	VMULPS(a.p, oddP, y1)
	VFMADD231PS(oddQ, a.q, y1)
	VMULPS(a.p3, oddP, oddP)
	VFMADD231PS(oddQ, a.q3, oddP)
	if n > a.zero+4 {
		VADDPS(m(n-1), oddP, oddP)
	}
	return [4]reg.VecVirtual{y0, y1, evenP, oddP}
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
			w.inPlace(half * v.bytes)
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
	w.epilogue(0, 0, out)
}

// inPlace transforms 8 channels of a tile with 16 registers: Aᵀ M takes M's place.
func (w *outputWalk) inPlace(off int) {
	at := GP64()
	MOVQ(w.first, w.from.p)
	for c := range w.k.columns {
		for i, y := range w.m.times(w.k.rows, func(i int) Op { return w.from.at(i, off) }) {
			VMOVUPS(y, w.from.at(i, off))
		}
		if c < w.k.columns-1 {
			ADDQ(w.point, w.from.p)
		}
	}
	MOVQ(w.first, w.from.p)
	for row := range 4 {
		var d []reg.VecVirtual
		MOVQ(w.from.p, at)
		for c := range w.k.columns {
			d = append(d, w.v.copy(Mem{Base: at, Disp: off}))
			if c < w.k.columns-1 {
				ADDQ(w.point, at)
			}
		}
		w.epilogue(row, off, [][4]reg.VecVirtual{w.m.times(w.k.columns, registers(d))})
		ADDQ(w.from.s1, w.from.p)
	}
}

// epilogue finishes rows of outputs, the first of which is given, and stores them.
func (w *outputWalk) epilogue(row, off int, y [][4]reg.VecVirtual) {
	v := w.v
	for _, r := range y {
		for _, a := range r {
			VADDPS(Mem{Base: w.bias, Disp: off}, a, a)
		}
	}
	slope := v.new()
	VBROADCASTSS(field("Slope"), slope)
	w.operand("Sign", row, off, y, v.signs(slope))
	w.operand("Residual", row, off, y, func(a reg.VecVirtual, m Mem) { VADDPS(m, a, a) })
	w.operand("Raw", row, off, y, func(a reg.VecVirtual, m Mem) { VMOVUPS(a, m) })
	w.operand("Act", row, off, y, func(a reg.VecVirtual, m Mem) {
		t := v.new()
		VMULPS(a, slope, t)
		VMAXPS(t, a, t)
		VMOVUPS(t, m)
	})
}

// operand calls f for each register with its place in the tensor of the given name, or
// skips all if there is none.
func (w *outputWalk) operand(name string, row, off int, y [][4]reg.VecVirtual, f func(reg.VecVirtual, Mem)) {
	w.label++
	without := fmt.Sprint("without", name, w.label)
	MOVQ(field(name), w.to.p)
	TESTQ(w.to.p, w.to.p)
	JE(LabelRef(without))
	ADDQ(w.moved, w.to.p)
	for r, registers := range y {
		for c, a := range registers {
			f(a, w.to.at(row+r, 64*w.k.step*c+off))
		}
	}
	Label(without)
}
