package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (m *machine) randomKernels() {
	m.function("normal", "(dst []float32, s *Stream, block uint64, mean, std float32)")
	m.streamed([]string{"dst"}, (*machine).normals, func(z reg.VecVirtual, at []Mem, k mask) {
		VMULPS(m.param("std"), z, z)
		VADDPS(m.param("mean"), z, z)
		m.store(z, at[0], k)
	})
	finish()

	m.function("uniform", "(dst []float32, s *Stream, block uint64, lo, width float32)")
	m.streamed([]string{"dst"}, (*machine).unchanged, func(w reg.VecVirtual, at []Mem, k mask) {
		VPSRLD(U8(8), w, w)
		VCVTDQ2PS(w, w)
		VMULPS(m.float(1.0/(1<<24)), w, w)
		VMULPS(m.param("width"), w, w) // rounded before the sum: every device gives the same bits
		VADDPS(m.param("lo"), w, w)
		m.store(w, at[0], k)
	})
	finish()

	m.function("sgld", "(x, g []float32, s *Stream, block uint64, c *SGLD)")
	c := Load(Param("c"), GP64())
	m.streamed([]string{"x", "g"}, (*machine).normals, func(z reg.VecVirtual, at []Mem, k mask) {
		x := m.load(at[0], k)
		m.drift(x, m.load(at[1], k), c)
		VFMADD231PS(z, m.field(c, "Sigma"), x)
		m.clamp(x, m.field(c, "Lo"), m.field(c, "Hi"))
		m.store(x, at[0], k)
	})
	finish()

	m.function("drift", "(x, g []float32, c *SGLD)")
	c = Load(Param("c"), GP64())
	m.each([]string{"x", "g"}, 1, func(_ int, at []Mem, k mask) {
		x := m.load(at[0], k)
		m.drift(x, m.load(at[1], k), c)
		m.clamp(x, m.field(c, "Lo"), m.field(c, "Hi"))
		m.store(x, at[0], k)
	})
	finish()
}

// drift: x += α·clip(g). It overwrites g.
func (m *machine) drift(x, g reg.VecVirtual, c reg.Register) {
	clip, low := m.field(c, "Clip"), m.vec()
	VXORPS(m.word(signBit), clip, low)
	m.clamp(g, low, clip)
	VFMADD231PS(g, m.field(c, "Alpha"), x)
}

const signBit = 1 << 31

// streamed writes a loop over the elements in groups of four vectors, each with its number
// of the stream: body gets vector u of a group after transform has worked on the group's
// words. The rest is the same with masks.
func (m *machine) streamed(slices []string, transform func(*machine, [4]reg.VecVirtual) [4]reg.VecVirtual, body func(z reg.VecVirtual, at []Mem, k mask)) {
	group := 4 * m.lanes()
	n, i := Load(Param(slices[0]).Len(), GP64()).(reg.GPVirtual), GP64()
	var base []reg.Register
	for _, s := range slices {
		base = append(base, Load(Param(s).Base(), GP64()))
	}
	s := Load(Param("s"), GP64())
	count := m.vec()
	VPBROADCASTQ(address(Param("block")), count)
	VPADDQ(m.order(), count, count)
	XORQ(i, i)

	turn := func(masked bool) {
		for u, z := range m.transpose(transform(m, m.philox(count, s))) {
			var at []Mem
			for _, b := range base {
				at = append(at, Mem{Base: b, Index: i, Scale: 4, Disp: 4 * u * m.lanes()})
			}
			var k mask
			if masked {
				k = m.firstLanes(n, u)
			}
			body(z, at, k)
		}
	}
	Label("loop")
	CMPQ(n, I32(group))
	JL(LabelRef("rest"))
	turn(false)
	VPADDQ(m.quad(uint64(m.lanes())), count, count)
	ADDQ(I32(group), i)
	SUBQ(I32(group), n)
	JMP(LabelRef("loop"))
	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	turn(true)
	Label("end")
}

// quad is a constant vector of one 64-bit word.
func (m *machine) quad(q uint64) Mem {
	var all [16]uint32
	for i := range all {
		all[i] = uint32(q >> (32 * (i % 2)))
	}
	return m.table(all)
}

// order numbers the blocks of four words that a group computes side by side.
//
// philox keeps every second block in each of two sets of 64-bit lanes, transpose turns
// columns of 128-bit lanes into rows. So that numbers end in their order, element j of
// 128-bit lane L must work on block (lanes/4)·j + L. These are the elements 0 and 2; the
// second set, elements 1 and 3, has lanes/4 more.
func (m *machine) order() Mem {
	quarters := uint32(m.lanes() / 4)
	var all [16]uint32
	for lane := range quarters {
		all[4*lane] = lane
		all[4*lane+2] = lane + 2*quarters
	}
	return m.table(all)
}

// philox returns the four words of lanes blocks: vector w has word w of every block, in
// the order of order. count holds the blocks' numbers in 64-bit lanes.
//
// Words live in the lower halves of 64-bit lanes, the upper halves are rubbish that VPMULUDQ
// ignores: so a product's lower half needs no work, its upper half one shift.
func (m *machine) philox(count reg.VecVirtual, s reg.Register) (words [4]reg.VecVirtual) {
	mul0, mul1 := m.hold(m.word(0xD2511F53)), m.hold(m.word(0xCD9E8D57))
	var sets [2][4]reg.VecVirtual
	second, step, sub := m.vec(), m.vec(), m.vec()
	VPADDQ(m.quad(uint64(m.lanes()/4)), count, second)
	VPBROADCASTD(Mem{Base: s, Disp: 80}, step)
	VPBROADCASTD(Mem{Base: s, Disp: 84}, sub)
	for i, number := range []reg.VecVirtual{count, second} {
		upper := m.vec()
		VPSRLQ(U8(32), number, upper)
		sets[i] = [4]reg.VecVirtual{number, upper, step, sub}
	}
	for round := range 10 {
		k0 := m.key(Mem{Base: s, Disp: 8 * round})
		k1 := m.key(Mem{Base: s, Disp: 8*round + 4})
		for i, c := range sets {
			p0, p1, c0, c2 := m.vec(), m.vec(), m.vec(), m.vec()
			VPMULUDQ(mul0, c[0], p0)
			VPMULUDQ(mul1, c[2], p1)
			VPSRLQ(U8(32), p1, c0)
			VPSRLQ(U8(32), p0, c2)
			m.xor(c0, c[1], k0)
			m.xor(c2, c[3], k1)
			sets[i] = [4]reg.VecVirtual{c0, p1, c2, p0}
		}
	}
	for w := range words {
		words[w] = m.interleave(sets[0][w], sets[1][w])
	}
	return words
}

// hold keeps a constant in a register where there are enough of them.
func (m *machine) hold(c Mem) Op {
	if !m.wide {
		return c
	}
	v := m.vec()
	VMOVUPS(c, v)
	return v
}

// key is a 32-bit word in memory as xor takes it.
func (m *machine) key(from Mem) Op {
	if m.wide {
		return from
	}
	v := m.vec()
	VPBROADCASTD(from, v)
	return v
}

// xor: a = a ⊕ b ⊕ key.
func (m *machine) xor(a, b reg.VecVirtual, key Op) {
	if m.wide {
		VPTERNLOGD_BCST(U8(0x96), key, b, a)
		return
	}
	t := m.vec()
	VPXOR(key, b, t)
	VPXOR(t, a, a)
}

// interleave joins the lower halves of the 64-bit lanes of a and b.
func (m *machine) interleave(a, b reg.VecVirtual) reg.VecVirtual {
	w := m.vec()
	VPSLLQ(U8(32), b, w)
	if m.wide {
		k, bits := K(), GP32()
		MOVL(U32(0xaaaa), bits)
		KMOVW(bits, k)
		VPBLENDMD(w, a, k, w)
	} else {
		VPBLENDD(U8(0xaa), w, a, w)
	}
	return w
}

// transpose turns the columns of each 128-bit lane of four vectors into rows.
func (m *machine) transpose(v [4]reg.VecVirtual) (w [4]reg.VecVirtual) {
	t := [4]reg.VecVirtual{m.vec(), m.vec(), m.vec(), m.vec()}
	for i := range w {
		w[i] = m.vec()
	}
	VUNPCKLPS(v[1], v[0], t[0])
	VUNPCKHPS(v[1], v[0], t[1])
	VUNPCKLPS(v[3], v[2], t[2])
	VUNPCKHPS(v[3], v[2], t[3])
	VUNPCKLPD(t[2], t[0], w[0])
	VUNPCKHPD(t[2], t[0], w[1])
	VUNPCKLPD(t[3], t[1], w[2])
	VUNPCKHPD(t[3], t[1], w[3])
	return w
}

func (m *machine) unchanged(w [4]reg.VecVirtual) [4]reg.VecVirtual { return w }
