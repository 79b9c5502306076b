package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// wideSize is the points along an axis of the transforms for tiles of 8×8 outputs.
const wideSize = 10

// widePoints are asm.WinoWide.
var widePoints = [4]float64{0.375, 0.875, 1.25, 2}

// writeWino8 writes the transforms for tiles of 8×8 outputs. Their 100 points are too many
// for registers: first all columns are transformed, then, in their place, all rows.
func writeWino8(isa string) {
	v, ok := convVectors[isa]
	if !ok {
		fail("no Winograd kernels for %q", isa)
	}
	declare("../wino_args.go", "WinoInput", "WinoOutput")
	writeWideInput(v)
	writeWideOutput(v)
	writeWideWindows(v)
}

// wideMatrix multiplies columns of ten by Bᵀ or Aᵀ (see asm.WinoWide). Its entries stay in
// memory: the data takes the registers.
type wideMatrix struct {
	v      *vectors
	prefix string
	known  map[uint32]Mem
	held   map[uint32]reg.VecVirtual // entries in registers, if there are enough
}

// hold brings entries to registers, for good.
func (w *wideMatrix) hold(all ...float64) {
	if !w.v.masks {
		return
	}
	for _, f := range all {
		if _, ok := w.held[bitsOf(f)]; !ok {
			r := w.v.new()
			VBROADCASTSS(w.entry(f), r)
			w.held[bitsOf(f)] = r
		}
	}
}

func bitsOf(f float64) uint32 { return math.Float32bits(float32(f)) }

// entry is a number in memory.
func (w *wideMatrix) entry(f float64) Mem {
	bits := bitsOf(f)
	if _, ok := w.known[bits]; !ok {
		w.known[bits] = ConstData(fmt.Sprintf("%s%08x%s", w.prefix, bits, w.v.suffix), U32(bits))
	}
	return w.known[bits]
}

// term is something to add to a sum.
type term struct{ x, sum reg.VecVirtual }

// add adds f·x to each of the sums.
func (w *wideMatrix) add(f float64, terms ...term) {
	if r, ok := w.held[bitsOf(f)]; ok {
		for _, t := range terms {
			VFMADD231PS(r, t.x, t.sum)
		}
		return
	}
	if w.v.masks {
		for _, t := range terms {
			VFMADD231PS_BCST(w.entry(f), t.x, t.sum)
		}
		return
	}
	r := w.v.new()
	VBROADCASTSS(w.entry(f), r)
	for _, t := range terms {
		VFMADD231PS(r, t.x, t.sum)
	}
}

// multiply sets to, which may be x, to f·x.
func (w *wideMatrix) multiply(f float64, x, to reg.VecVirtual) {
	if r, ok := w.held[bitsOf(f)]; ok {
		VMULPS(r, x, to)
		return
	}
	if w.v.masks {
		VMULPS_BCST(w.entry(f), x, to)
		return
	}
	r := w.v.new()
	VBROADCASTSS(w.entry(f), r)
	VMULPS(r, x, to)
}

// input is Bᵀ times d, which is used up; store is given each row as soon as it is there.
func (w *wideMatrix) input(d [wideSize]reg.VecVirtual, store func(row int, r reg.VecVirtual)) {
	for i, p := range widePoints {
		c := withRoots(squares(i))
		even, odd, plus := w.v.copy(d[8]), w.v.copy(d[7]), w.v.new()
		for k := 2; k >= 0; k-- {
			w.add(c[k], term{d[2*k+2], even}, term{d[2*k+1], odd})
		}
		w.multiply(p, odd, odd)
		VADDPS(odd, even, plus)
		VSUBPS(odd, even, even)
		store(1+2*i, plus)
		store(2+2*i, even)
	}
	c := withRoots(squares(-1))
	for k := 3; k >= 0; k-- {
		w.add(c[k], term{d[2*k], d[8]}, term{d[2*k+1], d[9]})
	}
	store(0, d[8])
	store(9, d[9])
}

// output is Aᵀ times m, which is used up.
func (w *wideMatrix) output(m [wideSize]reg.VecVirtual) (y [8]reg.VecVirtual) {
	var even, odd [4]reg.VecVirtual
	for i := range widePoints {
		even[i], odd[i] = sumAndDifference(w.v, m[1+2*i], m[2+2*i])
	}
	y[0] = m[0]
	for _, e := range even {
		VADDPS(e, y[0], y[0])
	}
	for k := 1; k < 8; k += 2 {
		y[k] = w.power(k, odd)
	}
	VADDPS(m[9], y[7], y[7])
	for k := 2; k < 8; k += 2 {
		y[k] = w.power(k, even)
	}
	return y
}

// power is the sum of the points' powers times x. The last one of the even or odd ones takes the
// place of x[0], which is not needed any more.
func (w *wideMatrix) power(k int, x [4]reg.VecVirtual) reg.VecVirtual {
	sum := x[0]
	if k < 6 {
		sum = w.v.new()
	}
	for i, p := range widePoints {
		if f := math.Pow(p, float64(k)); i == 0 {
			w.multiply(f, x[0], sum)
		} else {
			w.add(f, term{x[i], sum})
		}
	}
	return sum
}

// squares are those of the points but one.
func squares(without int) (all []float64) {
	for i, p := range widePoints {
		if i != without {
			all = append(all, p*p)
		}
	}
	return all
}

// withRoots are the coefficients of the polynomial with these roots, the highest is 1.
func withRoots(roots []float64) []float64 {
	all := []float64{1}
	for _, root := range roots {
		next := make([]float64, len(all)+1)
		for k, c := range all {
			next[k] -= root * c
			next[k+1] += c
		}
		all = next
	}
	return all
}

// wide are the rows of asm.WinoWideWeights. Their numbers stay in memory, too.
func (w *windowWalk) wide() lines {
	entry := func(name string, f float64) func() reg.VecVirtual {
		m := ConstData(w.name+name, U64(math.Float64bits(f)))
		return func() reg.VecVirtual {
			r := w.v.new()
			VBROADCASTSD(m, r)
			return r
		}
	}
	all := 1.0
	for _, pp := range squares(-1) {
		all *= pp
	}
	zero := entry("zero", 1/all)
	l := lines{func(d column) []reg.VecVirtual { return []reg.VecVirtual{w.product(zero(), d(0).(reg.VecVirtual))} }}
	for i, p := range widePoints {
		n := 2 * p * p
		for _, qq := range squares(i) {
			n *= p*p - qq
		}
		name := fmt.Sprint("at", i)
		one, odd, square := entry(name+"one", 1/n), entry(name+"odd", p/n), entry(name+"square", p*p/n)
		l = append(l, func(d column) []reg.VecVirtual {
			even := w.product(one(), d(0).(reg.VecVirtual))
			VFMADD231PD(square(), d(2).(reg.VecVirtual), even)
			return w.plusMinus(even, w.product(odd(), d(1).(reg.VecVirtual)))
		})
	}
	return append(l, func(d column) []reg.VecVirtual { return []reg.VecVirtual{d(2).(reg.VecVirtual)} })
}
