package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tapsMatrix multiplies columns by Cᵀ (see asm.WinoTaps).
type tapsMatrix struct {
	v          *vectors
	n          reg.VecVirtual    // the entry at 0
	even1, odd [2]reg.VecVirtual // the entries of tap 0 and 1 at p and q
	even2      [2]reg.VecVirtual // … and of tap 2
}

func newTapsMatrix(v *vectors) *tapsMatrix {
	const (
		pp, qq = winoP * winoP, winoQ * winoQ
		np     = 1 / (2 * pp * (pp - qq))
		nq     = 1 / (2 * qq * (qq - pp))
	)
	c := func(f float64) reg.VecVirtual { return v.constant("winoTaps", f) }
	return &tapsMatrix{
		v: v, n: c(1 / (pp * qq)),
		even1: [2]reg.VecVirtual{c(np), c(nq)},
		odd:   [2]reg.VecVirtual{c(np * winoP), c(nq * winoQ)},
		even2: [2]reg.VecVirtual{c(np * pp), c(nq * qq)},
	}
}

// times is the product with a column, whose registers it may overwrite.
func (a *tapsMatrix) times(m column) [3]reg.VecVirtual {
	evenP, oddP := sumAndDifference(a.v, m(1), m(2))
	evenQ, oddQ := sumAndDifference(a.v, m(3), m(4))
	w0 := a.v.own(m(0))
	VMULPS(a.n, w0, w0)
	VFMADD231PS(a.even1[0], evenP, w0)
	VFMADD231PS(a.even1[1], evenQ, w0)
	VMULPS(a.odd[0], oddP, oddP)
	VFMADD231PS(a.odd[1], oddQ, oddP)
	VMULPS(a.even2[0], evenP, evenP)
	VFMADD231PS(a.even2[1], evenQ, evenP)
	VADDPS(m(5), evenP, evenP)
	return [3]reg.VecVirtual{w0, oddP, evenP}
}

// writeWinoTaps writes the kernel of asm.WinoTaps.
func writeWinoTaps(v vectors) {
	TEXT("winoTaps"+v.suffix, nosplit, "func(a *WinoTaps)")
	Pragma("noescape")
	Doc("winoTaps" + v.suffix + " is the transform of products to the window's gradient.")
	m := newTapsMatrix(&v)
	from, to, point, channels := argument("M"), argument("W"), argument("MPoint"), argument("Channels")
	six, at := GP64(), GP64()
	IMUL3Q(Imm(6), point, six)
	rows := newPixelStrides(six, 6)

	Label("channel")
	for half := range v.perBlock {
		off := half * v.bytes
		var halves [3][]reg.VecVirtual // Cᵀ M
		MOVQ(from, rows.p)
		for range 6 {
			for i, t := range m.times(func(r int) Op { return rows.at(r, off) }) {
				if v.masks {
					halves[i] = append(halves[i], t)
				} else { // too few registers: to where the column was
					VMOVUPS(t, rows.at(i, off))
				}
			}
			ADDQ(point, rows.p)
		}
		MOVQ(from, at)
		for r := range 3 {
			row := registers(halves[r])
			if !v.masks {
				var d []reg.VecVirtual
				MOVQ(at, rows.p)
				for range 6 {
					d = append(d, v.copy(Mem{Base: rows.p, Disp: off}))
					ADDQ(point, rows.p)
				}
				ADDQ(six, at)
				row = registers(d)
			}
			for c, t := range m.times(row) {
				VMOVUPS(t, Mem{Base: to, Disp: 64*(3*r+c) + off})
			}
		}
	}
	ADDQ(field("MChannel"), from)
	ADDQ(I32(9*64), to)
	DECQ(channels)
	JNE(LabelRef("channel"))
	v.ret()
}
