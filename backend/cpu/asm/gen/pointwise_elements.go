package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Predicates of VCMPPS, false where an operand is NaN.
const (
	atLeast = 0x1d
	greater = 0x1e
)

func (m *machine) elementKernels() {
	m.function("leakyReLU", "(y, x []float32, slope float32)")
	slope := m.param("slope")
	m.each([]string{"y", "x"}, 4, func(_ int, at []Mem, k mask) {
		x, y := m.load(at[1], k), m.vec()
		VMULPS(x, slope, y)
		VMAXPS(x, y, y)
		m.store(y, at[0], k)
	})
	finish()

	m.function("leakyReLUGrad", "(dx, dy, y []float32, slope float32)")
	slope, zero := m.param("slope"), m.zero()
	m.each([]string{"dx", "dy", "y"}, 4, func(_ int, at []Mem, k mask) {
		dy := m.load(at[1], k)
		m.store(m.damp(dy, m.load(at[2], k), slope, zero), at[0], k)
	})
	finish()

	m.function("axpy", "(y, x []float32, a float32)")
	a := m.param("a")
	m.each([]string{"y", "x"}, 4, func(_ int, at []Mem, k mask) {
		y, x := m.load(at[0], k), m.load(at[1], k)
		VFMADD231PS(x, a, y)
		m.store(y, at[0], k)
	})
	finish()

	m.function("axpySquared", "(y, x []float32, a float32)")
	a = m.param("a")
	m.each([]string{"y", "x"}, 4, func(_ int, at []Mem, k mask) {
		y, x, w := m.load(at[0], k), m.load(at[1], k), m.vec()
		VMULPS(y, a, w)
		VMULPS(y, w, w)
		VFMADD231PS(w, x, y)
		m.store(y, at[0], k)
	})
	finish()

	m.function("lerp", "(y, x []float32, t float32)")
	t := m.param("t")
	m.each([]string{"y", "x"}, 4, func(_ int, at []Mem, k mask) {
		y, x := m.load(at[0], k), m.load(at[1], k)
		VSUBPS(y, x, x)
		VFMADD231PS(x, t, y)
		m.store(y, at[0], k)
	})
	finish()

	m.function("clamp", "(x []float32, lo, hi float32)")
	lo, hi := m.param("lo"), m.param("hi")
	m.each([]string{"x"}, 4, func(_ int, at []Mem, k mask) {
		x := m.load(at[0], k)
		m.clamp(x, lo, hi)
		m.store(x, at[0], k)
	})
	finish()

	m.function("drop", "(dst, src, u []float32, rate, scale float32)")
	rate, scale := m.param("rate"), m.param("scale")
	m.each([]string{"dst", "src", "u"}, 2, func(_ int, at []Mem, k mask) {
		u, src := m.load(at[2], k), m.load(at[1], k)
		VMULPS(src, scale, src)
		m.store(m.keep(src, u, rate), at[0], k)
	})
	finish()
}

// keep is v where u ≥ rate, else 0.
func (m *machine) keep(v, u, rate reg.VecVirtual) reg.VecVirtual {
	w := m.vec()
	if m.wide {
		k := K()
		VCMPPS(U8(atLeast), rate, u, k)
		VMOVAPS_Z(v, k, w)
		return w
	}
	VCMPPS(U8(atLeast), rate, u, w)
	VANDPS(w, v, w)
	return w
}

func (m *machine) zero() reg.VecVirtual {
	v := m.vec()
	VXORPS(v, v, v)
	return v
}

// clamp bounds x in place. MIN and MAX return their last source, here avo's first
// operand, where one is NaN.
func (m *machine) clamp(x, lo, hi Op) {
	VMAXPS(x, lo, x)
	VMINPS(x, hi, x)
}

// damp is v where act > 0, else slope·v.
func (m *machine) damp(v, act, slope, zero reg.VecVirtual) reg.VecVirtual {
	w := m.vec()
	VMULPS(v, slope, w)
	return m.choose(act, v, w, zero)
}

func (m *machine) optimizerKernels() {
	m.function("adam", "(p, g, m, v []float32, c *Adam)")
	c := Load(Param("c"), GP64())
	beta1, rest1 := m.field(c, "Beta1"), m.field(c, "Rest1")
	beta2, rest2 := m.field(c, "Beta2"), m.field(c, "Rest2")
	scale, decay := m.field(c, "Scale"), m.field(c, "Decay")
	rate, root, eps := m.field(c, "Rate"), m.field(c, "Root"), m.field(c, "Eps")
	m.each([]string{"p", "g", "m", "v"}, 1, func(_ int, at []Mem, k mask) {
		p, g := m.load(at[0], k), m.load(at[1], k)
		VMULPS(g, scale, g)
		VFMADD231PS(p, decay, g)
		m1 := m.load(at[2], k)
		VMULPS(m1, beta1, m1)
		VFMADD231PS(g, rest1, m1)
		m.store(m1, at[2], k)
		m2 := m.load(at[3], k)
		VMULPS(g, g, g)
		VMULPS(m2, beta2, m2)
		VFMADD231PS(g, rest2, m2)
		m.store(m2, at[3], k)
		VSQRTPS(m2, m2)
		VFMADD213PS(eps, root, m2)
		VMULPS(m1, rate, m1)
		VDIVPS(m2, m1, m1)
		VSUBPS(m1, p, p)
		m.store(p, at[0], k)
	})
	finish()

	m.function("sgd", "(p, g, m []float32, c *SGD)")
	c = Load(Param("c"), GP64())
	scale, decay = m.field(c, "Scale"), m.field(c, "Decay")
	momentum, rate := m.field(c, "Momentum"), m.field(c, "Rate")
	m.each([]string{"p", "g", "m"}, 2, func(_ int, at []Mem, k mask) {
		p, g, v := m.load(at[0], k), m.load(at[1], k), m.load(at[2], k)
		VMULPS(g, scale, g)
		VFMADD231PS(p, decay, g)
		VFMADD213PS(g, momentum, v)
		m.store(v, at[2], k)
		VFNMADD231PS(v, rate, p)
		m.store(p, at[0], k)
	})
	finish()
}
