package asm

import (
	"math"
	"slices"
	"testing"
	"unsafe"
)

// TestRoundBF16 compares with the nearer of the two neighbours in float64.
func TestRoundBF16(t *testing.T) {
	for _, f := range append(operand(4096, 0), 0, 1, -1, 1+1.0/256, 1+3.0/256, -1-1.0/256, 1e38, 3e-39, 1.1754944e-38) {
		got := widen(roundBF16(f))
		if math.Abs(float64(f)) < 0x1p-126 {
			if got != 0 {
				t.Errorf("%g becomes %g, want 0", f, got)
			}
			continue
		}
		low := math.Float32frombits(math.Float32bits(f) &^ 0xffff)
		high := math.Float32frombits(math.Float32bits(low) + 0x10000)
		toLow, toHigh := math.Abs(float64(f)-float64(low)), math.Abs(float64(high)-float64(f))
		want := low
		if toHigh < toLow || toHigh == toLow && math.Float32bits(low)>>16&1 == 1 {
			want = high
		}
		if got != want {
			t.Errorf("%g becomes %g, want %g", f, got, want)
		}
	}
	inf := float32(math.Inf(1))
	for f, want := range map[float32]float32{inf: inf, -inf: -inf, math.MaxFloat32: inf} {
		if got := widen(roundBF16(f)); got != want {
			t.Errorf("%g becomes %g, want %g", f, got, want)
		}
	}
	if nan := widen(roundBF16(math.Float32frombits(0x7f800001))); nan == nan {
		t.Errorf("NaN becomes %g", nan)
	}
}

// bitsOf is memory that kernels see as bf16.
func bitsOf(n int) []float32 { return make([]float32, n) }

// equalBits compares memory that may hold NaNs.
func equalBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestWinoInputBF16IsTheDefinition(t *testing.T) {
	const blocks, tiles, row, plane, tilesApart = 2, 3, 18 * 16, 7 * 18 * 16, 5
	const vBlock, vPoint = tilesApart * 8, (2*tilesApart + 1) * 8
	x := integers(blocks*plane+row, 5)
	onBF16ISAs(t, func(t *testing.T, isa ISA) {
		for _, kernel := range []func(*Wino) func(*WinoInput){
			func(w *Wino) func(*WinoInput) { return w.Input },
			func(w *Wino) func(*WinoInput) { return w.Five },
		} {
			run := func(isa ISA) []float32 {
				v := bitsOf(WinoPoints * vPoint)
				kernel(WinoBF16For(isa))(&WinoInput{
					X: pointer(x, 0), V: pointer(v, 0), XRow: 4 * row, XPlane: 4 * plane,
					VPoint: 4 * vPoint, VBlock: 4 * vBlock, Tiles: tiles, Blocks: blocks,
				})
				return v
			}
			want := run(Generic)
			// The transform of whole numbers is exact in float32, see
			// TestWinoInputIsTheDefinition, and rounding it has one answer.
			if !equalBits(run(isa), want) {
				t.Errorf("%s: other numbers than the definition's", isa)
			}
		}
	})
}

func TestWinoPhasesBF16IsTheDefinition(t *testing.T) {
	const blocks, tiles, row, plane, tilesApart = 2, 3, 26 * 16, 9 * 26 * 16, 5
	const vBlock = tilesApart * 8
	x := integers(blocks*plane, 5)
	offs := stridePlaces(2, 4*2*vBlock)
	run := func(isa ISA) []float32 {
		v := bitsOf((WinoStridePoints + 2) * 2 * vBlock)
		WinoBF16For(isa).Phases(&WinoPhases{
			X: pointer(x, 0), V: pointer(v, 0), Offs: unsafe.Pointer(&offs[0]), XRow: 4 * row, XPlane: 4 * plane,
			VBlock: 4 * vBlock, Tiles: tiles, Blocks: blocks,
		})
		return v
	}
	want := run(Generic)
	onBF16ISAs(t, func(t *testing.T, isa ISA) {
		if !equalBits(run(isa), want) { // exact, as above
			t.Errorf("%s: other numbers than the definition's", isa)
		}
	})
}

func TestWinoPairsIsTheDefinition(t *testing.T) {
	const products, lanes = 3, 32
	from := operand(products*256, 0)
	offs := []int{64, 64 + 4*8*lanes, 64 + 2*4*8*lanes}
	run := func(isa ISA) []float32 {
		u := bitsOf(16 + products*8*lanes)
		WinoBF16For(isa).Pairs(&WinoPairs{From: pointer(from, 0), U: pointer(u, 0), Offs: unsafe.Pointer(&offs[0]), UPair: 4 * lanes, Products: products})
		return u
	}
	want := run(Generic)
	onBF16ISAs(t, func(t *testing.T, isa ISA) {
		if !equalBits(run(isa), want) {
			t.Errorf("%s: other numbers than the definition's", isa)
		}
	})
}

func TestWinoProductBF16IsTheDefinition(t *testing.T) {
	const in = 3
	onBF16ISAs(t, func(t *testing.T, isa ISA) {
		w := WinoBF16For(isa)
		for blocks := 1; blocks <= w.Blocks; blocks++ {
			for tiles := 1; tiles <= 37; tiles++ {
				lanes := 16 * blocks
				v, u := integers(in*tiles*16, 5), integers(in*16*lanes, 7)
				low, pairs := bitsOf(len(v)/2), bitsOf(len(u)/2)
				for i, f := range v {
					*at16(pointer(low, 0), 2*i) = roundBF16(f)
				}
				for i, f := range u {
					channel, lane := i/lanes, i%lanes
					*at16(pointer(pairs, 0), 4*(channel/2*lanes+lane)+channel%2*2) = roundBF16(f)
				}
				m := make([]float32, (tiles+1)*lanes)
				split := w.Split(blocks, tiles)
				w.Product(&WinoProduct{V: pointer(low, 0), U: pointer(pairs, 0), M: pointer(m, 0), VBlock: 32 * tiles, Blocks: in}, &split)
				for i, got := range m {
					tile, lane := i/lanes, i%lanes
					var want float32 // whole numbers: exact in any order
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
