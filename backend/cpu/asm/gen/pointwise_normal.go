package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// normals turns words into normals, as philox.Pair does.
func (m *machine) normals(w [4]reg.VecVirtual) (z [4]reg.VecVirtual) {
	for i := 0; i < 4; i += 2 {
		r := m.radius(w[i])
		sin, cos := m.sincos(w[i+1])
		VMULPS(r, cos, cos)
		VMULPS(r, sin, sin)
		z[i], z[i+1] = cos, sin
	}
	return z
}

// radius is √(−2 ln u), u = (⌊w/2⁸⌋ + ½)·2⁻²⁴ = k·2⁻²⁵ with the odd k = ⌊w/2⁷⌋ | 1.
//
// k has 25 bits, one more than a float32. So it is x + d, x the nearest float32 and
// d ∈ {−1, 0, 1}; x = m·2ᵉ with m ∈ [√½, √2), and k·2⁻ᵉ = 1 + f with f = (m − 1) + d·2⁻ᵉ,
// which is exact near u = 1, where the logarithm is small. Then ln(1 + f) by the
// polynomial of the Cephes library's logf (S. Moshier): below 1 ulp.
func (m *machine) radius(w reg.VecVirtual) reg.VecVirtual {
	const sqrtHalf, one = 0x3f3504f3, 0x3f800000 // as float32
	x, d, e, f := m.vec(), m.vec(), m.vec(), m.vec()
	VPSRLD(U8(7), w, d)
	m.or(d, m.word(1))
	VCVTDQ2PS(d, x)
	rounded := m.vec()
	VCVTPS2DQ(x, rounded)
	VPSUBD(rounded, d, d)
	VCVTDQ2PS(d, d)

	VPADDD(m.word(one-sqrtHalf), x, x)
	VPSRLD(U8(23), x, e) // e + 127
	m.and(x, m.word(1<<23-1), f)
	VPADDD(m.word(sqrtHalf), f, f)
	VSUBPS(m.float(1), f, f)
	scale := m.vec() // 2⁻ᵉ
	VPSLLD(U8(23), e, x)
	VMOVUPS(m.word(254<<23), scale)
	VPSUBD(x, scale, scale)
	VFMADD231PS(scale, d, f)
	VPSUBD(m.word(127+25), e, e)
	VCVTDQ2PS(e, e)

	log := m.polynomial(f,
		7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	square := m.vec()
	VMULPS(f, f, square)
	VMULPS(f, log, log)
	VMULPS(square, log, log)
	VFMADD231PS(m.float(ln2Low), e, log)
	VFMADD231PS(m.float(-0.5), square, log)
	VADDPS(f, log, log)
	VFMADD231PS(m.float(ln2High), e, log)
	VMULPS(m.float(-2), log, log)
	VSQRTPS(log, log)
	return log
}

// ln 2 in two parts, the first with few bits, so that its products with e are exact.
const ln2High, ln2Low = 0.693359375, -2.12194440e-4

// polynomial evaluates c₀xⁿ + … + cₙ.
func (m *machine) polynomial(x reg.VecVirtual, c ...float64) reg.VecVirtual {
	p := m.vec()
	VMOVUPS(m.float(c[0]), p)
	for _, ci := range c[1:] {
		VFMADD213PS(m.float(ci), x, p)
	}
	return p
}

// sincos returns sine and cosine of 2π·⌊w/2⁸⌋·2⁻²⁴: the nearest quarter turn q and the rest
// are exact integers; the rest, within π/4, goes through the polynomials of the Cephes
// library's sinf and cosf, and q swaps the two and sets the signs.
func (m *machine) sincos(w reg.VecVirtual) (sin, cos reg.VecVirtual) {
	x, q := m.vec(), m.vec()
	VPADDD(m.word(1<<29), w, q) // q: bits 30 and 31
	m.and(w, m.word(0xffffff00), x)
	VPSLLD(U8(2), x, x)
	VCVTDQ2PS(x, x)
	VMULPS(m.float(math.Pi/2/(1<<32)), x, x)
	square := m.vec()
	VMULPS(x, x, square)

	s := m.polynomial(square, -1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
	VMULPS(square, s, s)
	VFMADD213PS(x, x, s)
	c := m.polynomial(square, 2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2, -0.5)
	VFMADD213PS(m.float(1), square, c)

	sin, cos = m.swap(q, s, c)
	m.flip(sin, q)
	VPADDD(m.word(1<<30), q, q)
	m.flip(cos, q)
	return sin, cos
}

// swap exchanges a and b where bit 30 of q is set.
func (m *machine) swap(q, a, b reg.VecVirtual) (x, y reg.VecVirtual) {
	x, y = m.vec(), m.vec()
	if m.wide {
		k := K()
		VPTESTMD(m.word(1<<30), q, k)
		VBLENDMPS(b, a, k, x)
		VBLENDMPS(a, b, k, y)
		return x, y
	}
	k := m.vec()
	VPSLLD(U8(1), q, k)
	VBLENDVPS(k, b, a, x)
	VBLENDVPS(k, a, b, y)
	return x, y
}

// flip changes v's sign where bit 31 of q is set.
func (m *machine) flip(v, q reg.VecVirtual) {
	if m.wide {
		VPTERNLOGD(U8(0x78), m.word(signBit), q, v)
		return
	}
	t := m.vec()
	VPAND(m.word(signBit), q, t)
	VXORPS(t, v, v)
}

func (m *machine) and(a reg.VecVirtual, b Mem, dst reg.VecVirtual) {
	if m.wide {
		VPANDD(b, a, dst)
	} else {
		VPAND(b, a, dst)
	}
}

func (m *machine) or(a reg.VecVirtual, b Mem) {
	if m.wide {
		VPORD(b, a, a)
	} else {
		VPOR(b, a, a)
	}
}
