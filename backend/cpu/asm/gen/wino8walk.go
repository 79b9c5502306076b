package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tenWalk goes along columns of ten numbers, a stride apart.
type tenWalk struct {
	p, p5  reg.Register // numbers 0 and 5
	s1, s3 reg.Register // multiples of the stride
	v      *vectors
	off    int // bytes from the channels at p to those at work
}

func newTenWalk(v *vectors) *tenWalk {
	return &tenWalk{v: v, p: GP64(), p5: GP64(), s3: GP64()}
}

// begin is at a column with a stride.
func (w *tenWalk) begin(at, stride reg.Register) {
	w.s1 = stride
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, w.s3)
	MOVQ(at, w.p)
	LEAQ(Mem{Base: at, Index: stride, Scale: 4}, w.p5)
	ADDQ(stride, w.p5)
}

func (w *tenWalk) at(i int) Mem {
	base := w.p
	if i >= 5 {
		base, i = w.p5, i-5
	}
	m := Mem{Base: base, Disp: w.off}
	switch i {
	case 1, 2, 4:
		m.Index, m.Scale = w.s1, uint8(i)
	case 3:
		m.Index, m.Scale = w.s3, 1
	}
	return m
}

func (w *tenWalk) load() (d [wideSize]reg.VecVirtual) {
	for i := range d {
		d[i] = w.v.copy(w.at(i))
	}
	return d
}

func (w *tenWalk) store(i int, r reg.VecVirtual) { VMOVUPS(r, w.at(i)) }

// next goes to a column further on.
func (w *tenWalk) next(step Op) {
	ADDQ(step, w.p)
	ADDQ(step, w.p5)
}

// times repeats f.
func times(n int, counter reg.Register, label string, f func()) {
	MOVQ(I32(n), counter)
	Label(label)
	f()
	DECQ(counter)
	JNE(LabelRef(label))
}

// writeWideInput writes the kernel of asm.WinoInput.
func writeWideInput(v vectors) {
	prefix := "winoWideInput"
	begin(prefix+v.suffix, "WinoInput", "is the input transform of tiles of 8×8 outputs")
	m := &wideMatrix{v: &v, prefix: prefix, known: map[uint32]Mem{}, held: map[uint32]reg.VecVirtual{}}
	for i, p := range widePoints {
		m.hold(withRoots(squares(i))[:3]...)
		m.hold(p)
	}
	point, row, xRow := argument("VPoint"), GP64(), argument("XRow")
	IMUL3Q(Imm(wideSize), point, row)
	x, first, tiles, counter := GP64(), GP64(), GP64(), GP64()
	from, to := newTenWalk(&v), newTenWalk(&v)

	MOVQ(I32(0), field("MovedX"))
	MOVQ(I32(0), field("MovedV"))
	Label("block")
	MOVQ(field("X"), x)
	ADDQ(field("MovedX"), x)
	MOVQ(field("V"), first)
	ADDQ(field("MovedV"), first)
	MOVQ(field("Tiles"), tiles)
	Label("tile")
	for half := range v.perBlock {
		from.off, to.off = half*v.bytes, half*v.bytes
		from.begin(x, xRow)
		to.begin(first, row)
		times(wideSize, counter, fmt.Sprint("columns", half), func() {
			m.input(from.load(), to.store)
			from.next(Imm(64))
			to.next(point)
		})
		to.begin(first, point)
		times(wideSize, counter, fmt.Sprint("rows", half), func() {
			m.input(to.load(), to.store)
			to.next(row)
		})
	}
	ADDQ(I32(8*64), x)
	ADDQ(Imm(64), first)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	advance("MovedX", "XPlane")
	advance("MovedV", "VBlock")
	DECQ(field("Blocks"))
	JNE(LabelRef("block"))
	v.ret()
}

// advance adds an argument to another.
func advance(name, by string) {
	step := argument(by)
	ADDQ(step, field(name))
}

// writeWideOutput writes the kernel of asm.WinoOutput.
func writeWideOutput(v vectors) {
	prefix := "winoWideOutput"
	begin(prefix+v.suffix, "WinoOutput", "is the output transform of tiles of 8×8 outputs")
	m := &wideMatrix{v: &v, prefix: prefix, known: map[uint32]Mem{}, held: map[uint32]reg.VecVirtual{}}
	for k := 2; k < 7; k++ {
		for _, p := range widePoints[:3] {
			m.hold(math.Pow(p, float64(k)))
		}
	}
	point, row := argument("MPoint"), GP64()
	IMUL3Q(Imm(wideSize), point, row)
	first, plane, tile, tiles, counter := GP64(), GP64(), GP64(), GP64(), GP64()
	from := newTenWalk(&v)
	w := &outputWalk{v: &v, k: outputKernel{step: 1}, to: &pixelStrides{p: GP64()}, moved: GP64(), bias: argument("Bias")}
	XORQ(plane, plane)

	Label("block")
	MOVQ(field("M"), first)
	MOVQ(plane, tile)
	MOVQ(field("Tiles"), tiles)
	Label("tile")
	for half := range v.perBlock {
		from.off = half * v.bytes
		from.begin(first, row)
		times(wideSize, counter, fmt.Sprint("columns", half), func() {
			for i, y := range m.output(from.load()) {
				from.store(i, y)
			}
			from.next(point)
		})
		from.begin(first, point)
		MOVQ(tile, w.moved)
		times(8, counter, fmt.Sprint("rows", half), func() {
			y := m.output(from.load())
			w.epilogue(rows{}, from.off, [][4]reg.VecVirtual{[4]reg.VecVirtual(y[:4])})
			ADDQ(I32(4*64), w.moved)
			w.epilogue(rows{}, from.off, [][4]reg.VecVirtual{[4]reg.VecVirtual(y[4:])})
			SUBQ(I32(4*64), w.moved)
			ADDQ(field("Row"), w.moved)
			from.next(row)
		})
	}
	ADDQ(field("MTile"), first)
	ADDQ(I32(8*64), tile)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	ADDQ(Imm(64), w.bias)
	ADDQ(field("Plane"), plane)
	ADDQ(Imm(64), field("M"))
	DECQ(field("Blocks"))
	JNE(LabelRef("block"))
	SUBQ(field("Bias"), w.bias) // M has gone as far, and goes back
	SUBQ(w.bias, field("M"))
	v.ret()
}

// writeWideWindows writes the weights' transform.
func writeWideWindows(v vectors) {
	declare("../wino_window_args.go", "WinoWindows")
	name := "winoWideWindows" + v.suffix
	begin(name, "WinoWindows", "is the weights' transform for tiles of 8×8 outputs")
	w := &windowWalk{v: &v, g: argument("G"), u: argument("U"), offs: argument("Offs"), at: GP64(), name: name, rows: wideSize}
	channels, step := argument("Channels"), argument("UChannel")
	rows := w.wide()
	Label("channel")
	w.channel(rows)
	ADDQ(I32(9*64), w.g)
	ADDQ(step, w.u)
	DECQ(channels)
	JNE(LabelRef("channel"))
	v.ret()
}
