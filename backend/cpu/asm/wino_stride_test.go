package asm

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"
)

// TestWinoStrideIsConvolution: the portable transforms and weights give the sums of a 3×3
// window of stride 2.
func TestWinoStrideIsConvolution(t *testing.T) {
	x, g := integers(9*9*16, 5), [9]float32{3, -1, 2, 0, 4, -2, 1, -3, 1}
	v, m := make([]float32, WinoStridePoints*16), make([]float32, 25*16)
	offs := stridePlaces(0, 64)
	k := WinoFor(Generic)
	k.Phases(&WinoPhases{X: pointer(x, 0), V: pointer(v, 0), Offs: unsafe.Pointer(&offs[0]), XRow: 9 * 64, Tiles: 1, Blocks: 1})
	u := make([]float64, WinoStridePoints)
	WinoStrideWeights(u, &g)
	for product := range u {
		point := product/9%5*5 + product%9%5 // rows and columns 5 to 8 add to points 0 to 3
		for lane := range 16 {
			m[16*point+lane] += float32(u[product]) * v[16*product+lane]
		}
	}
	y, bias := make([]float32, 4*4*16), integers(16, 3)
	k.Stride(&WinoOutput{M: pointer(m, 0), MPoint: 64, Row: 4 * 64, Tiles: 1, Blocks: 1, Bias: pointer(bias, 0), Raw: pointer(y, 0)})
	for pixel := range 16 {
		for lane := range 16 {
			want := bias[lane]
			for tap, w := range g {
				want += w * x[((pixel/4*2+tap/3)*9+pixel%4*2+tap%3)*16+lane]
			}
			// 128·u·Σ|ab| of nine terms up to 4·4.
			if got := y[16*pixel+lane]; math.Abs(float64(got-want)) > 128*9*16/float64(1<<24) {
				t.Fatalf("output %d lane %d is %g, want %g", pixel, lane, got, want)
			}
		}
	}
}

// stridePlaces puts the inputs of products side by side, behind some others.
func stridePlaces(before, apart int) []int {
	offs := make([]int, WinoStridePoints)
	for i := range offs {
		offs[i] = (before + i) * apart
	}
	return offs
}

func TestWinoPhasesIsTheDefinition(t *testing.T) {
	const blocks, tiles, row, plane, tilesApart = 2, 3, 26 * 16, 9 * 26 * 16, 5
	const vBlock = tilesApart * 16
	x := integers(blocks*plane, 5)
	offs := stridePlaces(2, 4*2*vBlock)
	run := func(isa ISA) []float32 {
		v := make([]float32, (WinoStridePoints+2)*2*vBlock)
		WinoFor(isa).Phases(&WinoPhases{
			X: pointer(x, 0), V: pointer(v, 0), Offs: unsafe.Pointer(&offs[0]), XRow: 4 * row, XPlane: 4 * plane,
			VBlock: 4 * vBlock, Tiles: tiles, Blocks: blocks,
		})
		return v
	}
	want := run(Generic)
	onEachISA(t, func(t *testing.T, isa ISA) {
		// Bᵀ has entries with up to 4 binary places and rows that sum up to 5: exact.
		if !slices.Equal(run(isa), want) {
			t.Errorf("%s: other numbers than the definition's", isa)
		}
	})
}

func TestWinoFiveIsTheDefinition(t *testing.T) {
	const blocks, tiles, row, plane, tilesApart = 2, 3, 13 * 16, 5 * 13 * 16, 5
	const vBlock, vPoint = tilesApart * 16, (2*tilesApart + 1) * 16
	x := integers(blocks*plane, 5)
	run := func(isa ISA) []float32 {
		v := make([]float32, 25*vPoint)
		WinoFor(isa).Five(&WinoInput{
			X: pointer(x, 0), V: pointer(v, 0), XRow: 4 * row, XPlane: 4 * plane,
			VPoint: 4 * vPoint, VBlock: 4 * vBlock, Tiles: tiles, Blocks: blocks,
		})
		return v
	}
	want := run(Generic)
	onEachISA(t, func(t *testing.T, isa ISA) {
		if !slices.Equal(run(isa), want) { // exact, as above
			t.Errorf("%s: other numbers than the definition's", isa)
		}
	})
}

func TestWinoStrideOutputIsTheDefinition(t *testing.T) {
	kernels := func(w *Wino) map[string]func(*WinoOutput) {
		return map[string]func(*WinoOutput){
			"stride": w.Stride, "even rows, even columns": w.Phase[0][0], "even, odd": w.Phase[0][1], "odd, even": w.Phase[1][0], "odd, odd": w.Phase[1][1],
		}
	}
	onEachISA(t, func(t *testing.T, isa ISA) {
		for name, definition := range kernels(WinoFor(Generic)) {
			for mask := 1; mask < 16; mask++ {
				t.Run(fmt.Sprintf("%s/%04b", name, mask), func(t *testing.T) {
					got, want := winoOutput(kernels(WinoFor(isa))[name], mask), winoOutput(definition, mask)
					for i, w := range want {
						// Terms of an output sum up to 4·(1+2·3.375+2·0.125)² ≈ 256 in size.
						if math.Abs(float64(got[i]-w)) > 8*256/float64(1<<24) {
							t.Fatalf("element %d is %g, want %g", i, got[i], w)
						}
					}
				})
			}
		}
	})
}
