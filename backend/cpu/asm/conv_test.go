package asm

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"
)

// integers are small whole numbers: sums of their products are exact in float32, so
// every instruction set must give the very same bits, fused or not.
func integers(n, step int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32((i*step+i/7)%9 - 4)
	}
	return v
}

// pointer to element i.
func pointer(v []float32, i int) unsafe.Pointer { return unsafe.Pointer(&v[i]) }

// tileCase is one call of Row or Window, with all tensors on the host. The source has
// xPixel floats between pixels, the output pixel floats, and its second block lies plane
// floats behind the first.
type tileCase struct {
	blocks, pixels, inner, taps int
	xPixel, pixel               int
	sign, residual, raw, act    bool
}

const (
	tileOffs  = 3
	tileSlope = 0.25 // exact
)

func (c tileCase) String() string {
	return fmt.Sprintf("%d blocks, %d pixels, inner %d, taps %d, strides %d %d, epilogue %t %t %t %t",
		c.blocks, c.pixels, c.inner, c.taps, c.xPixel, c.pixel, c.sign, c.residual, c.raw, c.act)
}

// run returns what the kernels of isa and what the definition write to raw and act.
func (c tileCase) run(k *Conv) (got, want [2][]float32) {
	plane := c.pixels*c.pixel + 16
	size := 2 * plane
	lanes := 16 * c.blocks
	offs := []int{0, 4 * 8, 4 * 40}
	x := integers(40+(c.pixels+2)*c.xPixel+16, 5)
	w := integers(tileOffs*c.inner*c.taps*lanes, 7)
	bias, sign, residual := integers(32, 11), integers(size, 4), integers(size, 2)
	for i := range got {
		got[i], want[i] = make([]float32, size), make([]float32, size)
	}
	t := ConvTile{
		X: pointer(x, 0), W: pointer(w, 0), Offs: unsafe.Pointer(&offs[0]), NumOffs: tileOffs,
		Inner: c.inner, XPixel: 4 * c.xPixel, Pixel: 4 * c.pixel, Plane: 4 * plane,
		Bias: pointer(bias, 0), Slope: tileSlope,
	}
	if c.sign {
		t.Sign = pointer(sign, 0)
	}
	if c.residual {
		t.Residual = pointer(residual, 0)
	}
	if c.raw {
		t.Raw = pointer(got[0], 0)
	}
	if c.act {
		t.Act = pointer(got[1], 0)
	}
	if c.taps > 1 {
		k.Window(&t, c.pixels)
	} else {
		k.Row(&t, c.blocks, c.pixels)
	}
	for p := range c.pixels {
		for l := range lanes {
			v := bias[l]
			for o, off := range offs {
				for i := range c.inner {
					for j := range c.taps {
						v += x[(p+j)*c.xPixel+off/4+i] * w[((o*c.inner+i)*c.taps+j)*lanes+l]
					}
				}
			}
			at := l/16*plane + p*c.pixel + l%16
			if c.sign && !(sign[at] > 0) {
				v *= tileSlope
			}
			if c.residual {
				v += residual[at]
			}
			if c.raw {
				want[0][at] = v
			}
			if c.act {
				want[1][at] = max(v, tileSlope*v)
			}
		}
	}
	return got, want
}

func TestConvTilesAreTheDefinition(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa ISA) {
		k := ConvFor(isa)
		check := func(c tileCase) {
			if got, want := c.run(k); !slices.Equal(got[0], want[0]) || !slices.Equal(got[1], want[1]) {
				t.Errorf("%s: %s: got\n%v\nwant\n%v", isa, c, got, want)
			}
		}
		for pixels := 1; pixels <= 40; pixels++ {
			for i := range 16 { // all epilogues, with all strides and inner lengths
				c := tileCase{pixels: pixels, inner: []int{16, 1, 3, 6}[(i+pixels)%4], taps: 1, xPixel: 16 << (i % 2), pixel: 32 >> (i % 2)}
				c.sign, c.residual, c.raw, c.act = i&1 > 0, i&2 > 0, i&4 > 0, i&8 > 0
				for c.blocks = 1; c.blocks <= k.Blocks; c.blocks++ {
					check(c)
				}
				if k.HasWindow() {
					c.blocks, c.taps = 1, 3
					check(c)
				}
			}
		}
	})
}

func TestConvTileWithoutTapsIsTheBias(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa ISA) {
		raw, bias := make([]float32, 16*9), integers(16, 3)
		tile := ConvTile{X: pointer(raw, 0), W: pointer(raw, 0), Inner: 16, Pixel: 64, Bias: pointer(bias, 0), Raw: pointer(raw, 0)}
		ConvFor(isa).Row(&tile, 1, 9)
		for i, v := range raw {
			if v != bias[i%16] {
				t.Fatalf("%s: lane %d is %g, want %g", isa, i, v, bias[i%16])
			}
		}
	})
}

func TestConvOuterIsTheDefinition(t *testing.T) {
	const rows, cols, xRow, dyRow, dyPlane = 3, 5, 200, 130, 500
	x, dy := integers(1000, 5), integers(1000, 7)
	onEachISA(t, func(t *testing.T, isa ISA) {
		k := ConvFor(isa)
		for blocks := 1; blocks <= k.Blocks; blocks++ {
			for depth := 1; depth <= 16; depth++ {
				lanes := 16 * blocks
				got := integers(depth*lanes, 3)
				want := slices.Clone(got)
				k.Outer(&ConvOuter{
					X: pointer(x, 0), DY: pointer(dy, 0), Acc: pointer(got, 0), Rows: rows, Cols: cols,
					XRow: 4 * xRow, XPixel: 4 * 32, DYRow: 4 * dyRow, DYPlane: 4 * dyPlane,
				}, blocks, depth)
				for i := range want {
					r, lane := i/lanes, i%lanes
					for p := range rows * cols {
						want[i] += x[p/cols*xRow+p%cols*32+r] * dy[p/cols*dyRow+p%cols*16+lane/16*dyPlane+lane%16]
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %d blocks, depth %d: got\n%v\nwant\n%v", isa, blocks, depth, got, want)
				}
			}
		}
	})
}

func TestConvOuterWindowIsTheDefinition(t *testing.T) {
	const rows, cols, xRow, dyRow, depth = 3, 5, 100, 130, 16
	x, dy := integers(1000, 5), integers(1000, 7)
	onISA(t, AVX512, func(t *testing.T, isa ISA) { // no other has window kernels
		k := ConvFor(isa)
		got := integers(3*depth*16, 3)
		want := slices.Clone(got)
		k.OuterWindow(&ConvOuter{
			X: pointer(x, 0), DY: pointer(dy, 0), Acc: pointer(got, 0), Rows: rows, Cols: cols,
			XRow: 4 * xRow, XPixel: 4 * 16, DYRow: 4 * dyRow, AccTap: 4 * depth * 16,
		}, depth)
		for i := range want {
			j, r, lane := i/(depth*16), i/16%depth, i%16
			for p := range rows * cols {
				want[i] += x[p/cols*xRow+p%cols*16+r] * dy[p/cols*dyRow+(p%cols+2-j)*16+lane]
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%v\nwant\n%v", isa, got, want)
		}
	})
}

func TestConvFoldIsTheDefinition(t *testing.T) {
	src := integers(16*40, 5)
	offs := []int{0, -4 * 13, 4 * 50}
	onEachISA(t, func(t *testing.T, isa ISA) {
		for channels := 1; channels <= 5; channels++ {
			for pixels := 1; pixels <= 13; pixels++ {
				got, want := make([]float32, 5*20), make([]float32, 5*20)
				f := ConvFold{
					Src: pointer(src, 16*5), Dst: pointer(got, 0), Offs: unsafe.Pointer(&offs[0]), NumOffs: 3,
					Channels: channels, Plane: 4 * 20, Pixels: pixels,
				}
				ConvFor(isa).Fold(&f)
				for c := range channels {
					for x := range pixels {
						for _, off := range offs {
							want[c*20+x] += src[16*5+16*x+off/4+c]
						}
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %d channels, %d pixels: got\n%v\nwant\n%v", isa, channels, pixels, got, want)
				}
			}
		}
	})
}

func TestPeakIsPlausible(t *testing.T) {
	onEachISA(t, func(t *testing.T, isa ISA) {
		// No processor does less than 0.1 or more than 1,000 GFLOP/s on one thread.
		if p := Peak(isa); p < 0.1 || p > 1000 {
			t.Errorf("%s: %g GFLOP/s", isa, p)
		}
	})
}
