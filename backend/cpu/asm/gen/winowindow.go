package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// writeWinoWindows writes the weights' transforms.
func writeWinoWindows(v vectors) {
	declare("../wino_window_args.go", "WinoWindows")
	for _, stride := range []int{1, 2} {
		name := fmt.Sprintf("winoWindows%d%s", stride, v.suffix)
		begin(name, "WinoWindows", fmt.Sprintf("is the weights' transform for stride %d", stride))
		w := &windowWalk{v: &v, g: argument("G"), u: argument("U"), offs: argument("Offs"), at: GP64(), name: name}
		channels, step := argument("Channels"), argument("UChannel")
		w.rows = 6
		l := w.plain
		if stride == 2 {
			w.rows, l = 9, w.strided
		}
		rows := l()
		Label("channel")
		w.channel(rows)
		ADDQ(I32(9*64), w.g)
		ADDQ(step, w.u)
		DECQ(channels)
		JNE(LabelRef("channel"))
		v.ret()
	}
}

// windowWalk is where a weights' transform reads and writes. Its vectors hold float64,
// half as many lanes as float32.
type windowWalk struct {
	v    *vectors
	name string
	g, u reg.Register
	offs reg.Register
	at   reg.Register
	rows int // of products
}

// constant loads a float64 into all lanes.
func (w *windowWalk) constant(name string, f float64) reg.VecVirtual {
	r := w.v.new()
	VBROADCASTSD(ConstData(w.name+name, U64(math.Float64bits(f))), r)
	return r
}

func (w *windowWalk) product(a, b reg.VecVirtual) reg.VecVirtual {
	r := w.v.new()
	VMULPD(a, b, r)
	return r
}

// plusMinus is a+b and a−b, in place of a and in a new register.
func (w *windowWalk) plusMinus(a, b reg.VecVirtual) []reg.VecVirtual {
	minus := w.v.new()
	VSUBPD(b, a, minus)
	VADDPD(b, a, a)
	return []reg.VecVirtual{a, minus}
}

// plain are the rows of asm.WinoWeights.
func (w *windowWalk) plain() lines {
	const pp, qq = winoP * winoP, winoQ * winoQ
	np, nq := 1/(2*pp*(pp-qq)), 1/(2*qq*(qq-pp))
	n0 := w.constant("zero", 1/(pp*qq))
	pair := func(name string, point, n float64) func(d column) []reg.VecVirtual {
		one, odd, square := w.constant("one"+name, n), w.constant("odd"+name, point*n), w.constant("square"+name, point*point*n)
		return func(d column) []reg.VecVirtual {
			even := w.product(one, d(0).(reg.VecVirtual))
			VFMADD231PD(square, d(2).(reg.VecVirtual), even)
			return w.plusMinus(even, w.product(odd, d(1).(reg.VecVirtual)))
		}
	}
	return lines{
		func(d column) []reg.VecVirtual { return []reg.VecVirtual{w.product(n0, d(0).(reg.VecVirtual))} },
		pair("p", winoP, np), pair("q", winoQ, nq),
		func(d column) []reg.VecVirtual { return []reg.VecVirtual{d(2).(reg.VecVirtual)} },
	}
}

// strided are the rows of asm.WinoStrideWeights.
func (w *windowWalk) strided() lines {
	const p, q = strideP, strideQ
	n := [2]reg.VecVirtual{w.constant("p", 1/(2*p*(p*p-q*q))), w.constant("q", 1/(2*q*(q*q-p*p)))}
	odd := [2]reg.VecVirtual{w.constant("oddp", 1/(2*(p*p-q*q))), w.constant("oddq", 1/(2*(q*q-p*p)))}
	zero := w.v.new()
	VXORPD(zero, zero, zero)
	pair := func(i int) func(d column) []reg.VecVirtual {
		return func(d column) []reg.VecVirtual { // (g₀ ± p·g₂)/±n
			return w.plusMinus(w.product(odd[i], d(2).(reg.VecVirtual)), w.product(n[i], d(0).(reg.VecVirtual)))
		}
	}
	middle := func(i int) func(d column) []reg.VecVirtual {
		return func(d column) []reg.VecVirtual {
			plus, minus := w.product(n[i], d(1).(reg.VecVirtual)), w.v.new()
			VSUBPD(plus, zero, minus)
			return []reg.VecVirtual{plus, minus}
		}
	}
	return lines{
		pair(0), pair(1),
		func(d column) []reg.VecVirtual { return []reg.VecVirtual{d(2).(reg.VecVirtual)} },
		middle(0), middle(1),
	}
}

// channel transforms the windows of 16 lanes. The lines of one row of products are
// completed before the next, as they all may lie in one set of the level 1 cache.
func (w *windowWalk) channel(l lines) {
	parts := 2 * w.v.perBlock // of 16 lanes
	row := 0
	for _, group := range l {
		n := 0
		for part := range parts {
			var rows [2][]reg.VecVirtual
			for x := range 3 {
				d := func(y int) Op {
					r := w.v.new()
					VCVTPS2PD(Mem{Base: w.g, Disp: 64*(3*y+x) + part*w.v.bytes/2}, r)
					return r
				}
				for i, t := range group(d) {
					rows[i] = append(rows[i], t)
					n = i + 1
				}
			}
			for i, r := range rows[:n] {
				l.all(registers(r), func(c int, t reg.VecVirtual) { w.store((row+i)*w.rows+c, part, t) })
			}
		}
		row += n
	}
}

func (w *windowWalk) store(product, part int, t reg.VecVirtual) {
	MOVQ(Mem{Base: w.offs, Disp: 8 * product}, w.at)
	to := Mem{Base: w.u, Index: w.at, Scale: 1, Disp: part * w.v.bytes / 2}
	if w.v.masks {
		half := YMM()
		VCVTPD2PS(t, half)
		VMOVUPS(half, to)
		return
	}
	half := XMM()
	VCVTPD2PSY(t, half)
	VMOVUPS(half, to)
}
