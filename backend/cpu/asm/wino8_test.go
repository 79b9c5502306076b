package asm

import (
	"fmt"
	"math"
	"testing"
	"unsafe"
)

// TestWinoWideIsConvolution: the portable transforms and weights give the 3×3 window's sums.
func TestWinoWideIsConvolution(t *testing.T) {
	x, g := integers(10*10*16, 5), [9]float32{3, -1, 2, 0, 4, -2, 1, -3, 1}
	v, m := make([]float32, WinoWidePoints*16), make([]float32, WinoWidePoints*16)
	WinoWideFor(Generic).Input(&WinoInput{X: pointer(x, 0), V: pointer(v, 0), XRow: 10 * 64, VPoint: 64, Tiles: 1, Blocks: 1})
	var weights [WinoWidePoints]float64
	WinoWideWeights(&weights, &g)
	for point, u := range weights {
		for lane := range 16 {
			m[16*point+lane] = float32(u) * v[16*point+lane]
		}
	}
	y, bias := make([]float32, 8*8*16), integers(16, 3)
	WinoWideFor(Generic).Output(&WinoOutput{M: pointer(m, 0), MPoint: 64, Row: 8 * 64, Tiles: 1, Blocks: 1, Bias: pointer(bias, 0), Raw: pointer(y, 0)})
	for row := range 8 {
		for col := range 8 {
			for lane := range 16 {
				want := bias[lane]
				for t, w := range g {
					want += w * x[((row+t/3)*10+col+t%3)*16+lane]
				}
				// 512·u·Σ|ab| of nine terms up to 4·4.
				if got := y[(row*8+col)*16+lane]; math.Abs(float64(got-want)) > 512*9*16/float64(1<<24) {
					t.Fatalf("output %d,%d lane %d is %g, want %g", row, col, lane, got, want)
				}
			}
		}
	}
}

func TestWinoWideInputIsTheDefinition(t *testing.T) {
	const blocks, tiles, row, plane, tilesApart = 2, 3, 27 * 16, 11 * 27 * 16, 5
	const vBlock, vPoint = tilesApart * 16, (2*tilesApart + 1) * 16
	x := integers(blocks*plane+row, 5)
	run := func(isa ISA) []float32 {
		v := make([]float32, WinoWidePoints*vPoint)
		WinoWideFor(isa).Input(&WinoInput{
			X: pointer(x, 0), V: pointer(v, 0), XRow: 4 * row, XPlane: 4 * plane,
			VPoint: 4 * vPoint, VBlock: 4 * vBlock, Tiles: tiles, Blocks: blocks,
		})
		return v
	}
	want := run(Generic)
	onEachISA(t, func(t *testing.T, isa ISA) {
		for i, got := range run(isa) {
			// Terms of a number sum up to 4·25² = 2500 in size.
			if math.Abs(float64(got-want[i])) > 8*2500/float64(1<<24) {
				t.Fatalf("element %d is %g, want %g", i, got, want[i])
			}
		}
	})
}

func TestWinoWideOutputIsTheDefinition(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa ISA) {
		for mask := 1; mask < 16; mask++ {
			t.Run(fmt.Sprintf("%04b", mask), func(t *testing.T) {
				got, want := winoOutputs(WinoWideFor(isa).Output, WinoWideTile, mask), winoOutputs(WinoWideFor(Generic).Output, WinoWideTile, mask)
				for i, w := range want {
					// Terms of an output sum up to 4·(2·2⁷+2·1.25⁷+…)² ≈ 4·270² in size.
					if math.Abs(float64(got[i]-w)) > 8*4*270*270/float64(1<<24) {
						t.Fatalf("element %d is %g, want %g", i, got[i], w)
					}
				}
			})
		}
	})
}

func TestWinoWideWindowsIsTheDefinition(t *testing.T) {
	const channels, apart = 3, 3*32 + 16
	g := integers(channels*9*16, 5)
	run := func(isa ISA) []float32 {
		u, offs := make([]float32, WinoWidePoints*apart), make([]int, WinoWidePoints)
		for i := range offs {
			offs[i] = 4 * apart * (WinoWidePoints - 1 - i)
		}
		WinoWideFor(isa).Windows[1](&WinoWindows{
			G: pointer(g, 0), U: pointer(u, 16), Offs: unsafe.Pointer(&offs[0]), UChannel: 4 * 32, Channels: channels,
		})
		return u
	}
	want := run(Generic)
	onEachISA(t, func(t *testing.T, isa ISA) {
		for i, got := range run(isa) {
			// One rounding to float32 each, of sums that differ by float64's. Their terms
			// are less than 100.
			if math.Abs(float64(got-want[i])) > math.Abs(float64(want[i]))/(1<<23)+100.0/(1<<50) {
				t.Fatalf("element %d is %g, want %g", i, got, want[i])
			}
		}
	})
}
