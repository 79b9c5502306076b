package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// normKernels are the passes of a normalisation over 16 channels side by side, in float64:
// a block is in two zmm or four ymm, the statistics stay in memory.
func (m *machine) normKernels() {
	pieces := 2 * m.perBlock()
	lanes := func(c reg.Register, field string, v int) Mem {
		return Mem{Base: c, Disp: address(Dereference(Param("c")).Field(field).Index(0)).Disp + 128/pieces*v}
	}
	centred := func(c reg.Register, at Mem, v int) reg.VecVirtual {
		x := m.double(at)
		VSUBPD(lanes(c, "Mu", v), x, x)
		return x
	}
	gather := func(c reg.Register, field string) (acc []reg.VecVirtual) {
		for v := range pieces {
			acc = append(acc, m.vec())
			VMOVUPD(lanes(c, field, v), acc[v])
		}
		return acc
	}
	scatter := func(c reg.Register, field string, acc []reg.VecVirtual) {
		for v, a := range acc {
			VMOVUPD(a, lanes(c, field, v))
		}
	}

	m.function("normSum", "(x []float32, c *NormPlane)")
	c := Load(Param("c"), GP64())
	sum := gather(c, "Sum1")
	m.eachPixel([]string{"x"}, 1, pieces, func(_, v int, at []Mem) {
		VADDPD(m.double(at[0]), sum[v], sum[v])
	})
	scatter(c, "Sum1", sum)
	finish()

	m.function("normSquares", "(x []float32, c *NormPlane)")
	c = Load(Param("c"), GP64())
	sum = gather(c, "Sum1")
	m.eachPixel([]string{"x"}, 1, pieces, func(_, v int, at []Mem) {
		x := centred(c, at[0], v)
		VFMADD231PD(x, x, sum[v])
	})
	scatter(c, "Sum1", sum)
	finish()

	m.function("normApply", "(y, x []float32, c *NormPlane)")
	c = Load(Param("c"), GP64())
	m.eachPixel([]string{"y", "x"}, 1, pieces, func(_, v int, at []Mem) {
		x, scale := centred(c, at[1], v), m.vec()
		VMOVUPD(lanes(c, "Scale", v), scale)
		VFMADD213PD(lanes(c, "Shift", v), scale, x)
		m.single(x, at[0])
	})
	finish()

	m.function("normGradSums", "(dy, x []float32, c *NormPlane)")
	c = Load(Param("c"), GP64())
	sum, product := gather(c, "Sum1"), gather(c, "Sum2")
	m.eachPixel([]string{"dy", "x"}, 1, pieces, func(_, v int, at []Mem) {
		dy, x := m.double(at[0]), centred(c, at[1], v)
		VADDPD(dy, sum[v], sum[v])
		VFMADD231PD(dy, x, product[v])
	})
	scatter(c, "Sum1", sum)
	scatter(c, "Sum2", product)
	finish()

	m.function("normInputGrad", "(dx, dy, x []float32, c *NormPlane)")
	c = Load(Param("c"), GP64())
	m.eachPixel([]string{"dx", "dy", "x"}, 1, pieces, func(_, v int, at []Mem) {
		dx, x, scale := m.double(at[1]), centred(c, at[2], v), m.vec()
		VMOVUPD(lanes(c, "Scale", v), scale)
		VFMADD213PD(lanes(c, "Shift", v), scale, dx)
		VFNMADD231PD(lanes(c, "Slope", v), x, dx)
		m.single(dx, at[0])
	})
	finish()
}

// double reads half a vector of float32 as a vector of float64.
func (m *machine) double(from Mem) reg.VecVirtual {
	v := m.vec()
	VCVTPS2PD(from, v)
	return v
}

// single writes a vector of float64 as half a vector of float32.
func (m *machine) single(v reg.VecVirtual, to Mem) {
	if m.wide {
		VCVTPD2PS(v, v.AsY())
		VMOVUPS(v.AsY(), to)
		return
	}
	VCVTPD2PSY(v, v.AsX())
	VMOVUPS(v.AsX(), to)
}
