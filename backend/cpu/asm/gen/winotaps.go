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

// writeWinoStrideTaps writes the kernel of asm.WinoTaps for stride 2. It goes through one
// row of products at a time in both directions, so that registers suffice: first the
// products of a row give the three taps of a row, which take their place, then those the
// taps of the window.
func writeWinoStrideTaps(v vectors) {
	name := "winoTapsStride" + v.suffix
	begin(name, "WinoTaps", "is the transform of products to the gradient of a window of stride 2")
	const p, q = strideP, strideQ
	c := func(f float64) reg.VecVirtual { return v.constant("winoTapsStride", f) }
	np, nq := 1/(2*p*(p*p-q*q)), 1/(2*q*(q*q-p*p))
	n, odd := [2]reg.VecVirtual{c(np), c(nq)}, [2]reg.VecVirtual{c(np * p), c(nq * q)}
	from, to, point, channels := argument("M"), argument("W"), argument("MPoint"), argument("Channels")
	row, at := GP64(), GP64()
	columns := newPixelStrides(point, 9)
	IMUL3Q(Imm(9), point, row)
	rows := newPixelStrides(row, 9)

	// times gives the taps of nine products.
	times := func(m column) [3]reg.VecVirtual {
		sums := func(i int) (sum, difference [2]reg.VecVirtual) {
			for j := range sum {
				sum[j], difference[j] = sumAndDifference(&v, m(i+2*j), m(i+2*j+1))
			}
			return sum, difference
		}
		weighted := func(weights, of [2]reg.VecVirtual) reg.VecVirtual {
			VMULPS(weights[0], of[0], of[0])
			VFMADD231PS(weights[1], of[1], of[0])
			return of[0]
		}
		sum, difference := sums(0)
		first, last := weighted(n, difference), weighted(odd, sum)
		VADDPS(m(4), last, last)
		_, difference = sums(5)
		return [3]reg.VecVirtual{first, weighted(n, difference), last}
	}

	Label("channel")
	for half := range v.perBlock {
		off := half * v.bytes
		MOVQ(from, columns.p)
		LEAQ(Mem{Base: columns.p, Index: point, Scale: 8}, columns.p8)
		for range 9 {
			for i, t := range times(func(c int) Op { return columns.at(c, off) }) {
				VMOVUPS(t, columns.at(i, off))
			}
			ADDQ(row, columns.p)
			ADDQ(row, columns.p8)
		}
		MOVQ(from, at)
		for c := range 3 {
			MOVQ(at, rows.p)
			LEAQ(Mem{Base: at, Index: row, Scale: 8}, rows.p8)
			for r, t := range times(func(r int) Op { return rows.at(r, off) }) {
				VMOVUPS(t, Mem{Base: to, Disp: 64*(3*r+c) + off})
			}
			ADDQ(point, at)
		}
	}
	ADDQ(field("MChannel"), from)
	ADDQ(I32(9*64), to)
	DECQ(channels)
	JNE(LabelRef("channel"))
	v.ret()
}
