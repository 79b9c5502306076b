package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pointwise writes the elementwise and random kernels of one instruction set.
func pointwise(isa string) {
	declare("../pointwise_args.go", "Adam", "SGD", "SGLD", "Box", "Stream", "NormPlane")
	ConstraintExpr("amd64")
	m := &machine{wide: isa == "avx512", constants: map[[16]uint32]Mem{}}
	m.elementKernels()
	m.moveKernels()
	m.optimizerKernels()
	m.randomKernels()
	m.sumKernels()
	m.pixelKernels()
	m.normKernels()
}

// machine writes the same kernel for AVX-512 (zmm, masks in k) and for AVX2 with FMA (ymm,
// masks in ymm).
type machine struct {
	wide      bool
	constants map[[16]uint32]Mem // by value
	window    *Mem               // ones, then zeros
}

// vec is a new vector register.
func (m *machine) vec() reg.VecVirtual {
	if m.wide {
		return ZMM()
	}
	return YMM()
}

// lanes is the number of float32 in a vector.
func (m *machine) lanes() int {
	if m.wide {
		return 16
	}
	return 8
}

// function begins a function with the instruction set's suffix.
func (m *machine) function(name, signature string) {
	suffix := "AVX2"
	if m.wide {
		suffix = "AVX512"
	}
	TEXT(name+suffix, attr.NOSPLIT, "func"+signature)
	Pragma("noescape")
}

// table is a vector constant in memory, given 16 words; AVX2 reads the first 8.
func (m *machine) table(words [16]uint32) Mem {
	c, ok := m.constants[words]
	if !ok {
		c = GLOBL(fmt.Sprintf("vector%d", len(m.constants)), attr.RODATA|attr.NOPTR)
		for i, w := range words {
			DATA(4*i, U32(w))
		}
		m.constants[words] = c
	}
	return c
}

// word is a constant vector of one 32-bit word, float of one float32.
func (m *machine) word(w uint32) Mem {
	var all [16]uint32
	for i := range all {
		all[i] = w
	}
	return m.table(all)
}

func (m *machine) float(f float64) Mem { return m.word(math.Float32bits(float32(f))) }

// broadcast fills a new vector with a float32 or 32-bit word in memory.
func (m *machine) broadcast(from Mem) reg.VecVirtual {
	v := m.vec()
	VBROADCASTSS(from, v)
	return v
}

// param fills a new vector with a float32 parameter.
func (m *machine) param(name string) reg.VecVirtual { return m.broadcast(address(Param(name))) }

// field fills a new vector with a float32 field of the struct that parameter c points to.
// ptr holds that pointer.
func (m *machine) field(ptr reg.Register, name string) reg.VecVirtual {
	return m.broadcast(Mem{Base: ptr, Disp: address(Dereference(Param("c")).Field(name)).Disp})
}

// address is where a parameter lies.
func address(c gotypes.Component) Mem {
	a, err := c.Resolve()
	if err != nil {
		fail("%v", err)
	}
	return a.Addr
}

// mask selects the first lanes of a vector: k for AVX-512, a vector for AVX2; nil: all.
type mask reg.Register

// firstLanes is the mask of the lanes of vector u that are among the first n elements,
// n < 4·lanes, u < 4.
func (m *machine) firstLanes(n reg.GPVirtual, u int) mask {
	if m.wide {
		bits, k := GP64(), K()
		MOVQ(I32(-1), bits)
		BZHIQ(n, bits, bits)
		SHRQ(U8(u*m.lanes()), bits)
		KMOVW(bits.As32(), k)
		return k
	}
	// A window on 32 ones and 32 zeros.
	if m.window == nil {
		w := GLOBL("window", attr.RODATA|attr.NOPTR)
		for i := range 64 {
			DATA(4*i, I32(i/32-1))
		}
		m.window = &w
	}
	p, v := GP64(), YMM()
	LEAQ(*m.window, p)
	NEGQ(n)
	VMOVDQU(Mem{Base: p, Index: n, Scale: 4, Disp: 4 * (32 + u*m.lanes())}, v)
	NEGQ(n)
	return v
}

// load reads a vector; lanes outside the mask become 0.
func (m *machine) load(from Mem, k mask) reg.VecVirtual {
	v := m.vec()
	switch {
	case k == nil:
		VMOVUPS(from, v)
	case m.wide:
		VMOVUPS_Z(from, k, v)
	default:
		VMASKMOVPS(from, k, v)
	}
	return v
}

// store writes the lanes inside the mask.
func (m *machine) store(v reg.Register, to Mem, k mask) {
	switch {
	case k == nil:
		VMOVUPS(v, to)
	case m.wide:
		VMOVUPS(v, k, to)
	default:
		VMASKMOVPS(v, k, to)
	}
}

// finish ends the function.
func finish() {
	VZEROUPPER()
	RET()
}

// each writes loops over all elements of the slice parameters, the first of which gives
// their number: unroll vectors at a time, then one, then a masked rest. body handles
// vector u of the turn, with its operands in memory and the mask of the rest.
func (m *machine) each(slices []string, unroll int, body func(u int, at []Mem, k mask)) {
	n, i := Load(Param(slices[0]).Len(), GP64()).(reg.GPVirtual), GP64()
	var base []reg.Register
	for _, s := range slices {
		base = append(base, Load(Param(s).Base(), GP64()))
	}
	at := func(u int) (mem []Mem) {
		for _, b := range base {
			mem = append(mem, Mem{Base: b, Index: i, Scale: 4, Disp: 4 * u * m.lanes()})
		}
		return mem
	}
	XORQ(i, i)
	for _, turn := range []int{unroll, 1} {
		loop, done := label("loop", turn), label("done", turn)
		Label(loop)
		CMPQ(n, I32(turn*m.lanes()))
		JL(LabelRef(done))
		for u := range turn {
			body(u, at(u), nil)
		}
		ADDQ(I32(turn*m.lanes()), i)
		SUBQ(I32(turn*m.lanes()), n)
		JMP(LabelRef(loop))
		Label(done)
		if unroll == 1 {
			break
		}
	}
	TESTQ(n, n)
	JZ(LabelRef("end"))
	body(0, at(0), m.firstLanes(n, 0))
	Label("end")
}

func label(name string, turn int) string { return fmt.Sprintf("%s%d", name, turn) }
