package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// writeWinoGrad writes the kernels of the parameter gradient.
func writeWinoGrad(v vectors) {
	declare("../wino_grad_args.go", "WinoDelta", "WinoOuter", "WinoTaps", "WinoSpread")
	for blocks := 1; blocks <= 2; blocks++ {
		if splits := v.outerSplits(blocks); splits != nil {
			writeWinoOuter(v, blocks, splits)
		}
	}
	writeWinoDelta(v, deltaKernel{points: 6, p: winoP, q: winoQ})
	writeWinoDelta(v, deltaKernel{name: "Stride", points: 5, p: strideP, q: strideQ})
	writeWinoTaps(v)
	writeWinoStrideTaps(v)
	if !v.masks { // with 32 registers it would be the same
		writeWinoSpread(v)
	}
}

// outerSplits is how the outer product goes through 16 input channels, so that its sums
// stay in registers.
func (v *vectors) outerSplits(blocks int) []int {
	switch {
	case !v.masks && blocks == 1:
		return []int{6, 5, 5}
	case v.masks && blocks == 1:
		return []int{16}
	case v.masks:
		return []int{8, 8}
	}
	return nil
}

// writeWinoOuter writes a kernel of asm.WinoOuter.
func writeWinoOuter(v vectors, blocks int, splits []int) {
	name := fmt.Sprintf("winoOuter%d%s", blocks, v.suffix)
	TEXT(name, nosplit, "func(a *WinoOuter)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s is the outer-product kernel for %d output channels.", name, 16*blocks))
	from, d, m := argument("V"), argument("D"), argument("M")
	next, nextStep := argument("Next"), argument("NextStep")
	var dBlock reg.Register
	if blocks > 1 {
		dBlock = argument("DBlock")
	}
	lanes := blocks * v.perBlock * v.bytes
	pv, pd, left, zero := GP64(), GP64(), GP64(), v.new()
	v.zero(zero)

	Label("block")
	first := 0
	for part, depth := range splits {
		acc := v.accumulators(depth, blocks)
		each := func(f func(a reg.VecVirtual, m Mem)) {
			for r := range acc {
				for l, a := range acc[r] {
					f(a, Mem{Base: m, Disp: r*lanes + l*v.bytes})
				}
			}
		}
		label := func(name string) string { return fmt.Sprint(name, part) }
		each(func(a reg.VecVirtual, _ Mem) { VMOVAPS(zero, a) })
		CMPQ(field("First"), Imm(0))
		JNE(LabelRef(label("fresh")))
		each(func(a reg.VecVirtual, m Mem) { VMOVUPS(m, a) })
		Label(label("fresh"))
		tiles := func(n int) {
			for i := range n {
				v.multiply(acc, 1,
					func(_, l int) Mem {
						m := Mem{Base: pd, Disp: 64*i + l%v.perBlock*v.bytes}
						if l >= v.perBlock {
							m.Index, m.Scale = dBlock, 1
						}
						return m
					},
					func(r int) Mem { return Mem{Base: pv, Disp: 64*i + 4*(first+r)} })
				if n > 1 && i%2 == 0 {
					PREFETCHT1(Mem{Base: next, Disp: 32 * i})
				}
			}
			ADDQ(I32(64*n), pv)
			ADDQ(I32(64*n), pd)
		}
		MOVQ(from, pv)
		MOVQ(d, pd)
		MOVQ(field("Tiles"), left)
		SUBQ(Imm(4), left)
		JLT(LabelRef(label("few")))
		Label(label("four"))
		tiles(4)
		ADDQ(nextStep, next)
		SUBQ(Imm(4), left)
		JGE(LabelRef(label("four")))
		Label(label("few"))
		ADDQ(Imm(4), left)
		JE(LabelRef(label("done")))
		Label(label("one"))
		tiles(1)
		DECQ(left)
		JNE(LabelRef(label("one")))
		Label(label("done"))
		each(func(a reg.VecVirtual, m Mem) { VMOVUPS(a, m) })
		ADDQ(I32(depth*lanes), m)
		first += depth
	}
	ADDQ(field("VBlock"), from)
	DECQ(field("Blocks"))
	JNE(LabelRef("block"))
	v.ret()
}

// evalMatrix multiplies columns by A (see asm.WinoDelta).
type evalMatrix struct {
	v            *vectors
	p, q, pp, qq reg.VecVirtual
}

// pair is the two rows of ±p, or of ±q.
func (a *evalMatrix) pair(q bool, e column) (plus, minus reg.VecVirtual) {
	point, square := a.p, a.pp
	if q {
		point, square = a.q, a.qq
	}
	even, odd := a.v.copy(e(0)), a.v.copy(e(1))
	VFMADD231PS(e(2), square, even)
	VFMADD231PS(e(3), square, odd)
	VMULPS(point, odd, odd)
	plus = a.v.new()
	VADDPS(odd, even, plus)
	VSUBPS(odd, even, even)
	return plus, even
}

// deltaKernel is one of the kernels of asm.WinoDelta: for the points ±p, ±q, ∞ and, if
// there are six, 0.
type deltaKernel struct {
	name   string
	points int // along an axis
	p, q   float64
}

// writeWinoDelta writes a kernel of asm.WinoDelta. It takes the rows of A e that share
// intermediate values at a time, so that nothing but the result is stored.
func writeWinoDelta(v vectors, k deltaKernel) {
	prefix := "winoDelta" + k.name
	begin(prefix+v.suffix, "WinoDelta", fmt.Sprintf("is the transform of output gradients to %d×%d points", k.points, k.points))
	c := func(f float64) reg.VecVirtual { return v.constant(prefix, f) }
	w := &deltaWalk{v: &v, k: k, m: &evalMatrix{v: &v, p: c(k.p), q: c(k.q), pp: c(k.p * k.p), qq: c(k.q * k.q)}}
	dy, out, sums := argument("DY"), argument("D"), argument("Sum")
	w.e, w.out = newPixelStrides(argument("Row"), 4), newPixelStrides(argument("DPoint"), k.points)
	w.row = GP64()
	IMUL3Q(Imm(uint64(k.points)), w.out.s1, w.row)
	first, tiles := GP64(), GP64()

	Label("block")
	MOVQ(dy, w.e.p)
	MOVQ(out, first)
	MOVQ(field("Tiles"), tiles)
	Label("tile")
	for half := range v.perBlock {
		MOVQ(first, w.out.p)
		w.tile(half * v.bytes)
	}
	TESTQ(sums, sums)
	JE(LabelRef("summed"))
	for half := range v.perBlock {
		w.sum(Mem{Base: sums, Disp: half * v.bytes}, half*v.bytes)
	}
	Label("summed")
	ADDQ(I32(4*64), w.e.p)
	ADDQ(Imm(64), first)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	ADDQ(field("Plane"), dy)
	ADDQ(field("DBlock"), out)
	TESTQ(sums, sums)
	JE(LabelRef("next"))
	ADDQ(Imm(64), sums)
	Label("next")
	DECQ(field("Blocks"))
	JNE(LabelRef("block"))
	v.ret()
}

// deltaWalk is where the transform of output gradients reads and writes.
type deltaWalk struct {
	v   *vectors
	k   deltaKernel
	m   *evalMatrix
	e   *pixelStrides // rows of the tile
	out *pixelStrides // points of one row
	row reg.Register  // bytes from one row of points to the next
}

// tile transforms one register's channels of a tile.
func (w *deltaWalk) tile(off int) {
	row := func(e column) {
		c := 0
		store := func(r Op) {
			VMOVUPS(r, w.out.at(c, off))
			c++
		}
		if w.k.points == 6 {
			store(e(0))
		}
		for _, q := range []bool{false, true} {
			plus, minus := w.m.pair(q, e)
			store(plus)
			store(minus)
		}
		store(e(3))
		ADDQ(w.row, w.out.p)
	}
	plain := func(r int) {
		var d []reg.VecVirtual
		for c := range 4 {
			d = append(d, w.v.copy(w.e.at(r, 64*c+off)))
		}
		row(registers(d))
	}
	if w.k.points == 6 {
		plain(0)
	}
	for _, q := range []bool{false, true} {
		var plus, minus []reg.VecVirtual
		for c := range 4 {
			a, b := w.m.pair(q, func(r int) Op { return w.e.at(r, 64*c+off) })
			plus, minus = append(plus, a), append(minus, b)
		}
		row(registers(plus))
		row(registers(minus))
	}
	plain(3)
}

// sum adds a tile's gradients to the sum in memory.
func (w *deltaWalk) sum(to Mem, off int) {
	var columns [4]reg.VecVirtual
	for c := range columns {
		columns[c] = w.v.copy(w.e.at(0, 64*c+off))
		for r := 1; r < 4; r++ {
			VADDPS(w.e.at(r, 64*c+off), columns[c], columns[c])
		}
	}
	VADDPS(columns[1], columns[0], columns[0])
	VADDPS(columns[3], columns[2], columns[2])
	VADDPS(columns[2], columns[0], columns[0])
	VADDPS(to, columns[0], columns[0])
	VMOVUPS(columns[0], to)
}
