package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (m *machine) sumKernels() {
	m.function("sumSquares", "(x []float32) float64")
	acc := m.zeros(4)
	m.each([]string{"x"}, 2, func(u int, at []Mem, k mask) {
		x := m.load(at[0], k)
		for half := range 2 {
			d := m.doubles(x, half)
			VFMADD231PD(d, d, acc[2*u+half])
		}
	})
	m.total(acc)
	finish()

	m.function("productSquares", "(x, y []float32) float64")
	acc = m.zeros(4)
	m.each([]string{"x", "y"}, 2, func(u int, at []Mem, k mask) {
		x, y := m.load(at[0], k), m.load(at[1], k)
		for half := range 2 {
			d := m.doubles(x, half)
			VMULPD(m.doubles(y, half), d, d)
			VFMADD231PD(d, d, acc[2*u+half])
		}
	})
	m.total(acc)
	finish()

	m.function("dot", "(a, b []float32) float32")
	acc = m.zeros(4)
	m.each([]string{"a", "b"}, 4, func(u int, at []Mem, k mask) {
		a, b := m.load(at[0], k), m.load(at[1], k)
		VFMADD231PS(a, b, acc[u])
	})
	for _, v := range acc[1:] {
		VADDPS(v, acc[0], acc[0])
	}
	x := m.fold(acc[0], VADDPS)
	for _, swap := range []uint64{0x4e, 0xb1} { // halves, then neighbours
		y := XMM()
		VPERMILPS(U8(swap), x, y)
		VADDPS(y, x, x)
	}
	Store(x, ReturnIndex(0))
	finish()
}

func (m *machine) zeros(n int) (v []reg.VecVirtual) {
	for range n {
		v = append(v, m.zero())
	}
	return v
}

// doubles is the lower or upper half of x in float64.
func (m *machine) doubles(x reg.VecVirtual, half int) reg.VecVirtual {
	d := m.vec()
	VCVTPS2PD(m.half(x, half), d)
	return d
}

// total returns the sum of float64 accumulators.
func (m *machine) total(acc []reg.VecVirtual) {
	for _, v := range acc[1:] {
		VADDPD(v, acc[0], acc[0])
	}
	x := m.fold(acc[0], VADDPD)
	y := XMM()
	VPERMILPD(U8(1), x, y)
	VADDSD(y, x, x)
	Store(x, ReturnIndex(0))
}

// half is the lower or upper half of x as the next narrower register.
func (m *machine) half(x reg.VecVirtual, half int) Op {
	switch {
	case m.wide && half == 0:
		return x.AsY()
	case m.wide:
		y := YMM()
		VEXTRACTF64X4(U8(1), x, y)
		return y
	case half == 0:
		return x.AsX()
	}
	y := XMM()
	VEXTRACTF128(U8(1), x, y)
	return y
}

// fold adds the upper halves of v to the lower ones until an xmm is left.
func (m *machine) fold(v reg.VecVirtual, add func(...Op)) reg.VecVirtual {
	y := v
	if m.wide {
		y = YMM()
		VEXTRACTF64X4(U8(1), v, y)
		add(v.AsY(), y, y)
	}
	x := XMM()
	VEXTRACTF128(U8(1), y.AsY(), x)
	add(y.AsX(), x, x)
	return x
}

// pixelKernels work on the 16 channels of a block, in one zmm or two ymm.
func (m *machine) pixelKernels() {
	m.function("pixelSum", "(sum *[16]float32, x []float32)")
	const unroll = 4
	acc := m.zeros(unroll * m.perBlock())
	m.eachPixel([]string{"x"}, unroll, m.perBlock(), func(u, v int, at []Mem) {
		a := acc[u*m.perBlock()+v]
		VADDPS(at[0], a, a)
	})
	sum := Load(Param("sum"), GP64())
	for v := range m.perBlock() {
		for u := 1; u < unroll; u++ {
			VADDPS(acc[u*m.perBlock()+v], acc[v], acc[v])
		}
		VMOVUPS(acc[v], Mem{Base: sum, Disp: 4 * v * m.lanes()})
	}
	finish()

	m.function("pixelGrad", "(dx, act []float32, grad *[16]float32, slope float32)")
	slope, zero := m.param("slope"), m.zero()
	from := Load(Param("grad"), GP64()) // the assembler takes a parameter g for the register
	var grad, low []reg.VecVirtual      // for act > 0 and not
	for v := range m.perBlock() {
		grad = append(grad, m.load(Mem{Base: from, Disp: 4 * v * m.lanes()}, nil))
		low = append(low, m.vec())
		VMULPS(grad[v], slope, low[v])
	}
	m.eachPixel([]string{"dx", "act"}, 2, m.perBlock(), func(_, v int, at []Mem) {
		act := m.load(at[1], nil)
		m.store(m.choose(act, grad[v], low[v], zero), at[0], nil)
	})
	finish()
}

// choose is a where act > 0, else b.
func (m *machine) choose(act, a, b, zero reg.VecVirtual) reg.VecVirtual {
	return m.where(greater, act, zero, a, b)
}

// where is a where x and y compare, else b.
func (m *machine) where(predicate uint64, x, y, a, b reg.VecVirtual) reg.VecVirtual {
	w := m.vec()
	if m.wide {
		k := K()
		VCMPPS(U8(predicate), y, x, k)
		VBLENDMPS(a, b, k, w)
		return w
	}
	VCMPPS(U8(predicate), y, x, w)
	VBLENDVPS(w, a, b, w)
	return w
}

func (m *machine) perBlock() int { return 16 / m.lanes() }

// eachPixel writes loops over whole blocks of 16 in equal pieces: body handles piece v of
// pixel u.
func (m *machine) eachPixel(slices []string, unroll, pieces int, body func(u, v int, at []Mem)) {
	n, i := Load(Param(slices[0]).Len(), GP64()), GP64()
	var base []reg.Register
	for _, s := range slices {
		base = append(base, Load(Param(s).Base(), GP64()))
	}
	XORQ(i, i)
	for _, turn := range []int{unroll, 1} {
		loop, done := label("loop", turn), label("done", turn)
		Label(loop)
		CMPQ(n, I32(16*turn))
		JL(LabelRef(done))
		for u := range turn {
			for v := range pieces {
				var at []Mem
				for _, b := range base {
					at = append(at, Mem{Base: b, Index: i, Scale: 4, Disp: 64*u + 64/pieces*v})
				}
				body(u, v, at)
			}
		}
		ADDQ(I32(16*turn), i)
		SUBQ(I32(16*turn), n)
		JMP(LabelRef(loop))
		Label(done)
		if unroll == 1 {
			break
		}
	}
}
