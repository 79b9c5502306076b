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
	m := newInputMatrix(&v, "winoFive", strideP, strideQ)
	(&inputWalk{v: &v, m: m, lines: m.five(), size: 5}).write()
}

// phasesWalk is where the input transform of stride 2 reads and writes.
type phasesWalk struct {
	v     *vectors
	m     *inputMatrix
	axis  [2]lines // transforms of odd and even pixels: five and four rows
	x     *pixelStrides
	first reg.Register // of the tile's points
	offs  reg.Register
	at    reg.Register
}

// writeWinoPhases writes the kernel of asm.WinoPhases.
func writeWinoPhases(v vectors) {
	begin("winoPhases"+v.suffix, "WinoPhases", "is the input transform of stride 2")
	m := newInputMatrix(&v, "winoPhases", strideP, strideQ)
	w := &phasesWalk{v: &v, m: m, axis: [2]lines{m.five(), m.pairs()}}
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
	for half := range v.perBlock {
		w.tile(half * v.bytes)
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

// tile transforms one register's channels of a tile, as inputWalk does: columns of odd
// pixels, then of even ones, so that 16 registers suffice.
func (w *phasesWalk) tile(off int) {
	row := 0
	for y, lines := range w.axis {
		for _, group := range lines {
			n := 0
			for x, columns := range w.axis {
				var rows [2][]reg.VecVirtual
				w.m.bring()
				for c := x; c < 9; c += 2 {
					for i, t := range group(func(i int) Op { return w.x.at(y+2*i, 64*c+off) }) {
						rows[i] = append(rows[i], t)
						n = i + 1
					}
				}
				w.m.leave()
				for i, r := range rows[:n] {
					columns.all(registers(r), func(c int, t reg.VecVirtual) { w.v.keep(t, w.place(row+i, 5*x+c, off)) })
				}
			}
			row += n
		}
	}
}
