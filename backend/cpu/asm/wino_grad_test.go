package asm

import (
	"math"
	"slices"
	"testing"
	"unsafe"
)

// TestWinoGradIsCorrelation: the portable transforms give the window's gradient, for
// stride 1 from 6×6 inputs, for stride 2 from 9×9.
func TestWinoGradIsCorrelation(t *testing.T) {
	k := WinoFor(Generic)
	for stride := 1; stride <= 2; stride++ {
		wide := 3*stride + 3
		x, e := integers(wide*wide*16, 5), integers(4*4*16, 7)
		v, d, m := make([]float32, 81*16), make([]float32, WinoPoints*16), make([]float32, 81*16)
		w, sum := make([]float32, 9*16), integers(16, 3)
		bias := slices.Clone(sum)
		k.Delta[stride](&WinoDelta{DY: pointer(e, 0), D: pointer(d, 0), Sum: pointer(sum, 0), Row: 4 * 64, DPoint: 64, Tiles: 1, Blocks: 1})
		if stride == 1 {
			k.Input(&WinoInput{X: pointer(x, 0), V: pointer(v, 0), XRow: 6 * 64, VPoint: 64, Tiles: 1, Blocks: 1})
			for i := range WinoPoints * 16 {
				m[i] = v[i] * d[i]
			}
		} else {
			offs := stridePlaces(0, 64)
			k.Phases(&WinoPhases{X: pointer(x, 0), V: pointer(v, 0), Offs: unsafe.Pointer(&offs[0]), XRow: 9 * 64, Tiles: 1, Blocks: 1})
			for i := range m {
				point := i/16/9%5*5 + i/16%9%5
				m[i] = v[i] * d[16*point+i%16]
			}
		}
		k.Taps[stride](&WinoTaps{M: pointer(m, 0), W: pointer(w, 0), MPoint: 64, Channels: 1})
		for lane := range 16 {
			for pixel := range 16 {
				bias[lane] += e[16*pixel+lane]
			}
			if sum[lane] != bias[lane] {
				t.Fatalf("stride %d, lane %d: the sum is %g, want %g", stride, lane, sum[lane], bias[lane])
			}
			for tap := range 9 {
				var want float32
				for pixel := range 16 {
					want += x[((pixel/4*stride+tap/3)*wide+pixel%4*stride+tap%3)*16+lane] * e[16*pixel+lane]
				}
				// 64·u·Σ|ab| of sixteen terms up to 4·4, twice that for stride 2.
				if got := w[16*tap+lane]; math.Abs(float64(got-want)) > float64(64*stride*16*16)/(1<<24) {
					t.Fatalf("stride %d: tap %d lane %d is %g, want %g", stride, tap, lane, got, want)
				}
			}
		}
	}
}

func TestWinoDeltaIsTheDefinition(t *testing.T) {
	const blocks, tiles, row, plane, tilesApart = 2, 3, 13 * 16, 4 * 13 * 16, 5
	const dBlock, dPoint = tilesApart * 16, (2*tilesApart + 1) * 16
	dy := integers(blocks*plane, 5)
	run := func(isa ISA, stride int, summed bool) (d, sum []float32) {
		d, sum = make([]float32, WinoPoints*dPoint), integers(16*blocks, 3)
		a := WinoDelta{
			DY: pointer(dy, 0), D: pointer(d, 0), Row: 4 * row, Plane: 4 * plane,
			DPoint: 4 * dPoint, DBlock: 4 * dBlock, Tiles: tiles, Blocks: blocks,
		}
		if summed {
			a.Sum = pointer(sum, 0)
		}
		WinoFor(isa).Delta[stride](&a)
		return d, sum
	}
	onEachISA(t, func(t *testing.T, isa ISA) {
		for i := range 4 {
			stride, summed := 1+i/2, i%2 > 0
			want, wantSum := run(Generic, stride, summed)
			// At the points ±p A has 9 binary places and rows that sum up to 2.3, at ±q 3
			// and 8.2: the transform of whole numbers to 4 is exact, fused or not.
			if d, sum := run(isa, stride, summed); !slices.Equal(d, want) || !slices.Equal(sum, wantSum) {
				t.Errorf("%s, stride %d, with sums %v: other numbers than the definition's", isa, stride, summed)
			}
		}
	})
}

func TestWinoOuterIsTheDefinition(t *testing.T) {
	const in = 3
	onEachISA(t, func(t *testing.T, isa ISA) {
		w := WinoFor(isa)
		for blocks := 1; blocks <= w.Blocks; blocks++ {
			for i := range 18 {
				tiles, first := 1+i/2, i%2
				lanes := 16 * blocks
				v, d := integers(in*tiles*16, 5), integers(blocks*tiles*16, 7)
				m := integers((in*16+1)*lanes, 3)
				want := slices.Clone(m)
				if first > 0 {
					clear(want[:in*16*lanes])
				}
				w.Outer[blocks](&WinoOuter{
					V: pointer(v, 0), D: pointer(d, 0), M: pointer(m, 0),
					VBlock: 64 * tiles, DBlock: 64 * tiles, Tiles: tiles, Blocks: in, First: first,
				})
				for i := range in * 16 * lanes {
					k, lane := i/lanes, i%lanes
					for tile := range tiles {
						want[i] += v[(k/16*tiles+tile)*16+k%16] * d[(lane/16*tiles+tile)*16+lane%16]
					}
				}
				if !slices.Equal(m, want) {
					t.Errorf("%s, %d blocks, %d tiles: other numbers than the definition's", isa, blocks, tiles)
				}
			}
		}
	})
}

func TestWinoTapsIsTheDefinition(t *testing.T) {
	const channels, lanes, point = 3, 32, 3*32 + 16
	run := func(isa ISA, stride int) []float32 {
		m, w := integers(WinoStridePoints*point, 5), make([]float32, channels*9*16)
		WinoFor(isa).Taps[stride](&WinoTaps{M: pointer(m, 16), W: pointer(w, 0), MPoint: 4 * point, MChannel: 4 * lanes, Channels: channels})
		return w
	}
	onEachISA(t, func(t *testing.T, isa ISA) {
		for stride := 1; stride <= 2; stride++ {
			want := run(Generic, stride)
			for i, got := range run(isa, stride) {
				// Rows of Cᵀ sum up to 2.8 in size, products to 4.
				if math.Abs(float64(got-want[i])) > 8*2.8*2.8*4/float64(1<<24) {
					t.Fatalf("%s, stride %d: element %d is %g, want %g", isa, stride, i, got, want[i])
				}
			}
		}
	})
}

func TestWinoSpreadIsTheDefinition(t *testing.T) {
	const eights, toLane = 3, 8*3 + 5
	onEachISA(t, func(t *testing.T, isa ISA) {
		from, to := integers(16*8*eights, 5), integers(16*toLane, 7)
		want := slices.Clone(to)
		for i := range 16 * 8 * eights {
			want[i%16*toLane+i/16] += from[i]
		}
		WinoFor(isa).Spread(&WinoSpread{From: pointer(from, 0), To: pointer(to, 0), ToLane: 4 * toLane, Eights: eights})
		if !slices.Equal(to, want) {
			t.Errorf("%s: other numbers than the definition's", isa)
		}
	})
}
