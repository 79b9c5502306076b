package cpu

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"jem/backend"
)

// oracleSpecs are the awkward shapes: every source (in place, bordered copy, planar),
// every destination (blocked, planar, folded), remainders of every tile size.
var oracleSpecs = []backend.ConvSpec{
	{N: 2, InC: 16, OutC: 16, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1},
	{N: 2, InC: 16, OutC: 32, H: 5, W: 37, Kernel: 3, Stride: 1, Pad: 1},
	{N: 1, InC: 48, OutC: 48, H: 7, W: 9, Kernel: 3, Stride: 1, Pad: 1},
	{N: 3, InC: 20, OutC: 35, H: 6, W: 11, Kernel: 3, Stride: 1, Pad: 1},
	{N: 2, InC: 32, OutC: 64, H: 8, W: 8, Kernel: 3, Stride: 2, Pad: 1},
	{N: 2, InC: 32, OutC: 16, H: 9, W: 7, Kernel: 3, Stride: 2, Pad: 1},
	{N: 2, InC: 32, OutC: 32, H: 8, W: 6, Kernel: 1, Stride: 1, Pad: 0},
	{N: 2, InC: 16, OutC: 32, H: 8, W: 8, Kernel: 1, Stride: 2, Pad: 0},
	{N: 2, InC: 16, OutC: 32, H: 7, W: 5, Kernel: 1, Stride: 2, Pad: 0},
	{N: 2, InC: 3, OutC: 16, H: 9, W: 33, Kernel: 3, Stride: 1, Pad: 1},
	{N: 2, InC: 1, OutC: 16, H: 6, W: 8, Kernel: 3, Stride: 1, Pad: 1},
	{N: 2, InC: 8, OutC: 16, H: 6, W: 8, Kernel: 3, Stride: 1, Pad: 1},
	{N: 2, InC: 3, OutC: 16, H: 7, W: 9, Kernel: 3, Stride: 2, Pad: 1},
	{N: 1, InC: 3, OutC: 5, H: 7, W: 9, Kernel: 3, Stride: 1, Pad: 0},
	{N: 2, InC: 16, OutC: 7, H: 6, W: 5, Kernel: 3, Stride: 2, Pad: 1},
	{N: 2, InC: 3, OutC: 17, H: 9, W: 8, Kernel: 5, Stride: 1, Pad: 2},
	{N: 1, InC: 17, OutC: 16, H: 9, W: 8, Kernel: 5, Stride: 2, Pad: 2},
	{N: 1, InC: 16, OutC: 16, H: 6, W: 7, Kernel: 3, Stride: 1, Pad: 0},
	{N: 1, InC: 16, OutC: 16, H: 6, W: 7, Kernel: 3, Stride: 2, Pad: 0},
	{N: 1, InC: 16, OutC: 16, H: 3, W: 3, Kernel: 1, Stride: 2, Pad: 1},
	{N: 1, InC: 16, OutC: 16, H: 1, W: 1, Kernel: 3, Stride: 1, Pad: 1},
	{N: 1, InC: 2, OutC: 16, H: 1, W: 1, Kernel: 3, Stride: 3, Pad: 1},
	{N: 70, InC: 16, OutC: 16, H: 2, W: 2, Kernel: 3, Stride: 1, Pad: 1},
	// For Winograd: blocks of tiles that end inside a row, an image, a batch; groups of
	// output channels with one block of two; padded channels.
	{N: 13, InC: 16, OutC: 48, H: 4, W: 12, Kernel: 3, Stride: 1, Pad: 1},
	{N: 35, InC: 16, OutC: 16, H: 4, W: 4, Kernel: 3, Stride: 1, Pad: 1},
	{N: 1, InC: 40, OutC: 20, H: 8, W: 44, Kernel: 3, Stride: 1, Pad: 1},
	{N: 13, InC: 16, OutC: 48, H: 8, W: 24, Kernel: 3, Stride: 2, Pad: 1},
	{N: 35, InC: 16, OutC: 16, H: 8, W: 8, Kernel: 3, Stride: 2, Pad: 1},
	{N: 1, InC: 40, OutC: 20, H: 16, W: 88, Kernel: 3, Stride: 2, Pad: 1},
	{N: 2, InC: 64, OutC: 80, H: 16, W: 16, Kernel: 3, Stride: 2, Pad: 1},
	{N: 1, InC: 80, OutC: 112, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1},
	// … and enough tiles for chunks of them.
	{N: 5, InC: 16, OutC: 16, H: 32, W: 28, Kernel: 3, Stride: 1, Pad: 1},
	{N: 5, InC: 16, OutC: 16, H: 64, W: 56, Kernel: 3, Stride: 2, Pad: 1},
}

func specName(s backend.ConvSpec) string {
	return fmt.Sprintf("%dx%d>%d_%dx%d_k%ds%dp%d", s.N, s.InC, s.OutC, s.H, s.W, s.Kernel, s.Stride, s.Pad)
}

// layer is a convolution with operands in NCHW on the host and on the device.
type layer struct {
	d              *Device
	spec           backend.ConvSpec
	conv           backend.Conv
	w, b, x, dy    []float32
	tw, tb, tx, ty *tensor // ty holds dy
}

func newLayer(d *Device, spec backend.ConvSpec) *layer {
	spec.Slope = 0.2
	l := &layer{d: d, spec: spec}
	l.w = randoms(1, spec.OutC*spec.InC*spec.Kernel*spec.Kernel)
	l.b = randoms(2, spec.OutC)
	l.x = randoms(3, spec.N*spec.InC*spec.H*spec.W)
	l.dy = randoms(4, spec.N*spec.OutC*spec.OutH()*spec.OutW())
	l.tw = upload(d, backend.Dense, l.w, spec.OutC, spec.InC, spec.Kernel, spec.Kernel)
	l.tb = upload(d, backend.Dense, l.b, spec.OutC)
	l.tx = upload(d, backend.Image, l.x, spec.N, spec.InC, spec.H, spec.W)
	l.ty = upload(d, backend.Image, l.dy, spec.N, spec.OutC, spec.OutH(), spec.OutW())
	l.conv = d.NewConv(spec, l.tw, l.tb)
	return l
}

func (l *layer) newX() *tensor { return l.d.New(backend.Image, l.tx.shape...).(*tensor) }
func (l *layer) newY() *tensor { return l.d.New(backend.Image, l.ty.shape...).(*tensor) }
func (l *layer) newParams() (dw, db *tensor) {
	return l.d.New(backend.Dense, l.tw.shape...).(*tensor), l.d.New(backend.Dense, l.tb.shape...).(*tensor)
}

// randoms are n normals from a stream of their own.
func randoms(stream int, n int) []float32 {
	v := make([]float32, n)
	testKey.At(stream, 0).FillNormal(v)
	return v
}

// each calls f with the NCHW index and the memory index of every element.
func each(t *tensor, f func(i, at int)) {
	i := 0
	for n := range t.shape[0] {
		for c := range t.geom.c {
			for h := range t.geom.h {
				for w := range t.geom.w {
					f(i, n*t.geom.image+t.geom.at(c, h, w))
					i++
				}
			}
		}
	}
}

// poison fills valid elements with NaN, so that one left unwritten shows.
func poison(ts ...*tensor) {
	for _, t := range ts {
		each(t, func(_, at int) { t.data[at] = float32(math.NaN()) })
	}
}

// product visits every multiplication of a convolution: y[yi] += w[wi]·x[xi].
func product(s backend.ConvSpec, f func(yi, wi, xi int)) {
	oh, ow, k := s.OutH(), s.OutW(), s.Kernel
	for n := range s.N {
		for o := range s.OutC {
			for y := range oh {
				for x := range ow {
					for c := range s.InC {
						for ky := range k {
							for kx := range k {
								h, w := y*s.Stride+ky-s.Pad, x*s.Stride+kx-s.Pad
								if h >= 0 && h < s.H && w >= 0 && w < s.W {
									f(((n*s.OutC+o)*oh+y)*ow+x, ((o*s.InC+c)*k+ky)*k+kx, ((n*s.InC+c)*s.H+h)*s.W+w)
								}
							}
						}
					}
				}
			}
		}
	}
}

// sum is a float64 value with the sum of its terms' sizes.
type sum struct{ v, size float64 }

func (s *sum) add(v float64) { s.v += v; s.size += math.Abs(v) }

// scale multiplies by LeakyReLU's derivative or the function itself.
func (s sum) scale(f float64) sum { return sum{s.v * f, s.size * f} }

// bound is what an algorithm may be off by, in units of u·Σ|ab|.
func bound(algorithm string, stride int) float64 {
	if strings.Contains(algorithm, "winograd") {
		// Its transforms subtract numbers larger than their difference. Of sums of
		// zero-mean terms 24 is the most seen here; a forgotten term, about Σ|ab|/n,
		// is still seen in sums of a hundred thousand terms. Stride 2 has outputs of fewer
		// terms in the same transforms.
		return 64 * float64(stride)
	}
	// Zero-mean sums of any length stay under 3·u·Σ|ab| (measured), but among
	// thousands of short sums some have terms that agree in sign (5 seen), and the
	// epilogue rounds twice more. A forgotten term is about Σ|ab|/n, so 8 sees one
	// of up to two million.
	return 8
}

func compare(t *testing.T, what string, got []float32, want []sum, bound float64) {
	t.Helper()
	const u = 1.0 / (1 << 24)
	for i, g := range got {
		most := bound * u * want[i].size
		if e := math.Abs(float64(g) - want[i].v); !(e <= most) {
			t.Fatalf("%s: element %d of %d is %g, want %g within %g", what, i, len(got), g, want[i].v, most)
		}
	}
}

// checkZeros fails unless halo and padded channels of a tensor are zero.
func checkZeros(t *testing.T, what string, x *tensor) {
	t.Helper()
	valid := make([]bool, len(x.data))
	each(x, func(_, at int) { valid[at] = true })
	for i, v := range x.data {
		if !valid[i] && v != 0 {
			t.Fatalf("%s: halo or padded channel at %d is %g", what, i, v)
		}
	}
}

func leaky(s sum) sum {
	if s.v > 0 {
		return s
	}
	return s.scale(0.2)
}
