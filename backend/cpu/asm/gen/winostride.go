package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The finite points of the transforms for stride 2: asm.WinoStrideP, asm.WinoStrideQ.
const (
	strideP = 0.5
	strideQ = 1.5
)

// writeWinoStride writes the kernels for stride 2.
func writeWinoStride(v vectors) {
	declare("../wino_stride_args.go", "WinoPhases")
	writeWinoPhases(v)
	writeWinoFive(v)

	writeWinoOutput(v, outputKernel{name: "Stride", rows: 5, columns: 5, step: 1})
	for rows := 4; rows <= 5; rows++ {
		for columns := 4; columns <= 5; columns++ {
			writeWinoOutput(v, outputKernel{name: fmt.Sprintf("Phase%dx%d", rows, columns), rows: rows, columns: columns, step: 2})
		}
	}
}

// writeWinoFive writes the transform of 25 points.
func writeWinoFive(v vectors) {
	begin("winoFive"+v.suffix, "WinoInput", "is the input transform of the gradient of stride 2")
	(&inputWalk{v: &v, m: newInputMatrix(&v, "winoFive", strideP, strideQ).five(), size: 5}).write()
}

// phasesWalk is where the input transform of stride 2 reads and writes.
type phasesWalk struct {
	v         *vectors
	odd, even lines // transforms of odd and even pixels
	x         *pixelStrides
	first     reg.Register // of the tile's points
	offs      reg.Register
	at        reg.Register
}

// writeWinoPhases writes the kernel of asm.WinoPhases.
func writeWinoPhases(v vectors) {
	begin("winoPhases"+v.suffix, "WinoPhases", "is the input transform of stride 2")
	m := newInputMatrix(&v, "winoPhases", strideP, strideQ)
	w := &phasesWalk{v: &v, odd: m.five().of(func(d column) column { return d.every(2) })}
	w.even = m.pairs().of(func(d column) column { return d.from(1).every(2) })
	x, out := argument("X"), argument("V")
	w.x = newPixelStrides(argument("XRow"), 9)
	w.offs, w.first, w.at = argument("Offs"), GP64(), GP64()
	tiles := GP64()

	Label("block")
	MOVQ(x, w.x.p)
	LEAQ(Mem{Base: x, Index: w.x.s1, Scale: 8}, w.x.p8)
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
	ADDQ(I32(8*64), w.x.p)
	ADDQ(I32(8*64), w.x.p8)
	ADDQ(Imm(uint64(v.transformed())), w.first)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	ADDQ(field("XPlane"), x)
	ADDQ(field("VBlock"), out)
	DECQ(field("Blocks"))
	JNE(LabelRef("block"))
	v.ret()
}

// place is where a product's input is, until the next call.
func (w *phasesWalk) place(row, column, off int) Mem {
	MOVQ(Mem{Base: w.offs, Disp: 8 * (9*row + column)}, w.at)
	return Mem{Base: w.first, Index: w.at, Scale: 1, Disp: off}
}

// columns transforms a row of nine pixels and stores it.
func (w *phasesWalk) columns(row, off int, d column) {
	w.odd.all(d, func(c int, t reg.VecVirtual) { w.v.keep(t, w.place(row, c, off)) })
	w.even.all(d, func(c int, t reg.VecVirtual) { w.v.keep(t, w.place(row, 5+c, off)) })
}

// inRegisters transforms a tile with 32 registers, as inputWalk does.
func (w *phasesWalk) inRegisters() {
	row := 0
	for _, m := range []lines{w.odd, w.even} {
		for _, group := range m {
			var rows [2][]reg.VecVirtual
			for c := range 9 {
				for i, t := range group(func(i int) Op { return w.x.at(i, 64*c) }) {
					rows[i] = append(rows[i], t)
				}
			}
			for _, r := range rows {
				if len(r) > 0 {
					w.columns(row, 0, registers(r))
					row++
				}
			}
		}
	}
}

// inPlace transforms 8 channels of a tile with 16 registers. The transforms of columns go
// to where the result will be: odd columns to the points of odd columns.
func (w *phasesWalk) inPlace(off int) {
	for c := range 9 {
		to := c/2 + c%2*5
		d := func(i int) Op { return w.x.at(i, 64*c+off) }
		w.odd.all(d, func(r int, t reg.VecVirtual) { VMOVUPS(t, w.place(r, to, off)) })
		w.even.all(d, func(r int, t reg.VecVirtual) { VMOVUPS(t, w.place(5+r, to, off)) })
	}
	for row := range 9 {
		odd, even := make([]reg.VecVirtual, 9), make([]reg.VecVirtual, 9)
		for i := range 5 {
			odd[2*i] = w.v.copy(w.place(row, i, off))
		}
		w.odd.all(registers(odd), func(c int, t reg.VecVirtual) { VMOVUPS(t, w.place(row, c, off)) })
		for i := range 4 {
			even[2*i+1] = w.v.copy(w.place(row, 5+i, off))
		}
		w.even.all(registers(even), func(c int, t reg.VecVirtual) { VMOVUPS(t, w.place(row, 5+c, off)) })
	}
}
