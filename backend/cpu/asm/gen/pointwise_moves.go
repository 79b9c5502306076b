package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// More predicates of VCMPPS: of numbers that differ, and true where an operand is NaN.
const (
	differ    = 0x0c
	unordered = 0x03
)

func (m *machine) moveKernels() {
	m.function("sign", "(x, g []float32, a float32)")
	a, zero := m.param("a"), m.zero()
	m.each([]string{"x", "g"}, 4, func(_ int, at []Mem, k mask) {
		x, g, w := m.load(at[0], k), m.load(at[1], k), m.vec()
		VANDPS(m.word(signBit), g, w)
		VXORPS(a, w, w)
		VADDPS(m.where(differ, g, zero, w, g), x, x)
		m.store(x, at[0], k)
	})
	finish()

	m.function("box", "(x, centre []float32, c *Box)")
	c := Load(Param("c"), GP64())
	radius, lo, hi := m.field(c, "Radius"), m.field(c, "Lo"), m.field(c, "Hi")
	m.each([]string{"x", "centre"}, 2, func(_ int, at []Mem, k mask) {
		x, c, from, to := m.load(at[0], k), m.load(at[1], k), m.vec(), m.vec()
		VSUBPS(radius, c, from)
		VADDPS(radius, c, to)
		m.clamp(x, from, to)
		VMINPS(c, lo, from)
		VMAXPS(c, hi, to)
		m.clamp(x, from, to)
		m.store(m.where(unordered, c, c, c, x), at[0], k) // MIN and MAX have lost a NaN of c
	})
	finish()
}
