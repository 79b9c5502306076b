package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// outerKernel is one of the kernels of asm.ConvOuter.
type outerKernel struct {
	name          string
	blocks, depth int
	taps          int // 1, or 3 for the window kernel
}

// writeOuter writes a kernel of asm.ConvOuter. A window kernel's sums for its taps lie
// like lanes of one wide group, whose vectors are a pixel apart.
func writeOuter(v vectors, k outerKernel) {
	TEXT(k.name, nosplit, "func(a *ConvOuter)")
	Pragma("noescape")
	kind := "outer-product"
	if k.taps > 1 {
		kind = "outer-product window"
	}
	Doc(fmt.Sprintf("%s is the %s kernel for %d input floats and %d channels.", k.name, kind, k.depth, 16*k.blocks))
	x, dy, rows := argument("X"), argument("DY"), argument("Rows")
	xRow, xPixel := argument("XRow"), argument("XPixel")
	dyRow, cols := argument("DYRow"), argument("Cols")
	var dyPlane, tap reg.Register
	if k.blocks > 1 {
		dyPlane = argument("DYPlane")
	}
	if k.taps > 1 {
		tap = argument("AccTap")
	}
	sum := argument("Acc")
	acc := v.accumulators(k.depth, k.blocks*k.taps)
	place := func(r, l int) Mem {
		if k.taps > 1 {
			m := Mem{Base: sum, Disp: r * v.bytes}
			if j := k.taps - 1 - l; j > 0 {
				m.Index, m.Scale = tap, uint8(j)
			}
			return m
		}
		return Mem{Base: sum, Disp: (r*len(acc[0]) + l) * v.bytes}
	}
	for r := range acc {
		for l := range acc[r] {
			VMOVUPS(place(r, l), acc[r][l])
		}
	}
	px, pd, left := GP64(), GP64(), GP64()

	Label("row")
	MOVQ(x, px)
	MOVQ(dy, pd)
	MOVQ(cols, left)
	Label("pixel")
	v.multiply(acc, 1,
		func(_, l int) Mem {
			if k.taps > 1 {
				return Mem{Base: pd, Disp: l * v.bytes}
			}
			m := Mem{Base: pd, Disp: l % v.perBlock * v.bytes}
			if l >= v.perBlock {
				m.Index, m.Scale = dyPlane, 1
			}
			return m
		},
		func(r int) Mem { return Mem{Base: px, Disp: 4 * r} })
	ADDQ(xPixel, px)
	ADDQ(Imm(64), pd)
	DECQ(left)
	JNE(LabelRef("pixel"))
	ADDQ(xRow, x)
	ADDQ(dyRow, dy)
	DECQ(rows)
	JNE(LabelRef("row"))

	for r := range acc {
		for l := range acc[r] {
			VMOVUPS(acc[r][l], place(r, l))
		}
	}
	v.ret()
}
