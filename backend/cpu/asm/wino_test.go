package asm

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"
)

// TestWinoIsConvolution: the portable transforms and weights give the 3×3 window's sums.
func TestWinoIsConvolution(t *testing.T) {
	x, g := integers(6*6*16, 5), [9]float32{3, -1, 2, 0, 4, -2, 1, -3, 1}
	v, m := make([]float32, WinoPoints*16), make([]float32, WinoPoints*16)
	in := WinoInput{X: pointer(x, 0), V: pointer(v, 0), XRow: 6 * 64, VPoint: 64, Tiles: 1, Blocks: 1}
	WinoFor(Generic).Input(&in)
	weights := make([]float64, WinoPoints)
	WinoWeights(weights, &g)
	for point, u := range weights {
		for lane := range 16 {
			m[16*point+lane] = float32(u) * v[16*point+lane]
		}
	}
	y, bias := make([]float32, 4*4*16), integers(16, 3)
	out := WinoOutput{M: pointer(m, 0), MPoint: 64, Row: 4 * 64, Tiles: 1, Blocks: 1, Bias: pointer(bias, 0), Raw: pointer(y, 0)}
	WinoFor(Generic).Output(&out)
	for row := range 4 {
		for col := range 4 {
			for lane := range 16 {
				want := bias[lane]
				for t, w := range g {
					want += w * x[((row+t/3)*6+col+t%3)*16+lane]
				}
				// 64·u·Σ|ab| of nine terms up to 4·4.
				if got := y[(row*4+col)*16+lane]; math.Abs(float64(got-want)) > 64*9*16/float64(1<<24) {
					t.Fatalf("output %d,%d lane %d is %g, want %g", row, col, lane, got, want)
				}
			}
		}
	}
}

func TestWinoInputIsTheDefinition(t *testing.T) {
	const blocks, tiles, row, plane, tilesApart = 2, 3, 18 * 16, 7 * 18 * 16, 5
	const vBlock, vPoint = tilesApart * 16, (2*tilesApart + 1) * 16
	x := integers(blocks*plane+row, 5)
	run := func(isa ISA) []float32 {
		v := make([]float32, WinoPoints*vPoint)
		WinoFor(isa).Input(&WinoInput{
			X: pointer(x, 0), V: pointer(v, 0), XRow: 4 * row, XPlane: 4 * plane,
			VPoint: 4 * vPoint, VBlock: 4 * vBlock, Tiles: tiles, Blocks: blocks,
		})
		return v
	}
	want := run(Generic)
	onEachISA(t, func(t *testing.T, isa ISA) {
		// Bᵀ has entries with up to 8 binary places and rows that sum up to 5: the
		// transform of whole numbers to 4 is exact, fused or not.
		if !slices.Equal(run(isa), want) {
			t.Errorf("%s: other numbers than the definition's", isa)
		}
	})
}

func TestWinoProductIsTheDefinition(t *testing.T) {
	const in = 3
	onEachISA(t, func(t *testing.T, isa ISA) {
		w := WinoFor(isa)
		for blocks := 1; blocks <= w.Blocks; blocks++ {
			for tiles := 1; tiles <= 37; tiles++ {
				lanes := 16 * blocks
				v, u := integers(in*tiles*16, 5), integers(in*16*lanes, 7)
				m := make([]float32, (tiles+1)*lanes)
				split := w.Split(blocks, tiles)
				w.Product(&WinoProduct{V: pointer(v, 0), U: pointer(u, 0), M: pointer(m, 0), VBlock: 64 * tiles, Blocks: in}, &split)
				for i, got := range m {
					tile, lane := i/lanes, i%lanes
					var want float32
					for k := range 16 * in * min(1, tiles-tile) {
						want += v[(k/16*tiles+tile)*16+k%16] * u[k*lanes+lane]
					}
					if got != want {
						t.Fatalf("%s, %d blocks, %d tiles: tile %d lane %d is %g, want %g", isa, blocks, tiles, tile, lane, got, want)
					}
				}
			}
		}
	})
}

func TestWinoOutputIsTheDefinition(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa ISA) {
		for mask := 1; mask < 16; mask++ {
			t.Run(fmt.Sprintf("%04b", mask), func(t *testing.T) {
				got, want := winoOutput(WinoFor(isa).Output, mask), winoOutput(WinoFor(Generic).Output, mask)
				for i, w := range want {
					// Terms of an output sum up to 4·(1+2·3.375+2·0.25)² ≈ 270 in size.
					if math.Abs(float64(got[i]-w)) > 8*270/float64(1<<24) {
						t.Fatalf("element %d is %g, want %g", i, got[i], w)
					}
				}
			})
		}
	})
}

// winoOutput returns what an output transform to tiles of 4×4 writes to raw and act, of which the bits of
// mask tell whether they exist, as do sign and residual.
func winoOutput(transform func(*WinoOutput), mask int) []float32 {
	return winoOutputs(transform, WinoTile, mask)
}

// winoOutputs is the same for tiles of any width.
func winoOutputs(transform func(*WinoOutput), tile, mask int) []float32 {
	const blocks, tiles, row = 2, 3, 25 * 16
	const mTile, mPoint = 32, (tiles*2 + 1) * 16
	plane := tile * row
	m, bias := integers((tile+2)*(tile+2)*mPoint, 5), integers(32, 3)
	sign, residual := integers(blocks*plane, 4), integers(blocks*plane, 2)
	out := make([]float32, 2*blocks*plane)
	o := WinoOutput{
		M: pointer(m, 0), MPoint: 4 * mPoint, MTile: 4 * mTile, Row: 4 * row, Plane: 4 * plane,
		Tiles: tiles, Blocks: blocks, Bias: pointer(bias, 0), Slope: 0.25,
	}
	for i, p := range []struct {
		field *unsafe.Pointer
		to    unsafe.Pointer
	}{{&o.Raw, pointer(out, 0)}, {&o.Act, pointer(out, blocks*plane)}, {&o.Sign, pointer(sign, 0)}, {&o.Residual, pointer(residual, 0)}} {
		if mask>>i&1 != 0 {
			*p.field = p.to
		}
	}
	transform(&o)
	return out
}
