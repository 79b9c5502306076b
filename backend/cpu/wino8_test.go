package cpu

import (
	"math"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/backend/philox"
)

// wideSpecs have several blocks of tiles, some of which end inside a row or an image, and padded
// channels.
var wideSpecs = []backend.ConvSpec{
	{N: 3, InC: 32, OutC: 48, H: 16, W: 24, Kernel: 3, Stride: 1, Pad: 1},
	{N: 1, InC: 40, OutC: 20, H: 8, W: 72, Kernel: 3, Stride: 1, Pad: 1},
	{N: 13, InC: 48, OutC: 32, H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1},
}

// onWideISAs is onEachISA for those with kernels for tiles of 8×8.
func onWideISAs(t *testing.T, f func(t *testing.T, isa asm.ISA)) {
	onEachISA(t, func(t *testing.T, isa asm.ISA) {
		if isa != asm.Generic {
			f(t, isa)
		}
	})
}

// chained runs f as if in a chain.
func (d *Device) chained(f func()) {
	d.chaining = true
	defer func() { d.chaining = false }()
	f()
}

// both are a layer's forward pass and input gradient.
func both(t *testing.T, l *layer) (forward, input []float32) {
	y, dx := l.newY(), l.newX()
	poison(y, dx)
	l.conv.Forward(y, nil, l.tx, l.ty)
	l.conv.InputGrad(dx, l.ty, l.tx, nil)
	checkZeros(t, "y", y)
	checkZeros(t, "dx", dx)
	return download(t, l.d, y), download(t, l.d, dx)
}

// TestWideErrs by what docs/numerics.md derives, 1.5e-5 of the output's root mean square, no
// more. A term forgotten in each of n would be 1/√n of it. Less than a third would mean that
// tiles are not of 8×8. Outside of chains results have the bits that they have without.
func TestWideErrs(t *testing.T) {
	onWideISAs(t, func(t *testing.T, isa asm.ISA) {
		for _, spec := range wideSpecs {
			d := testDevice(t, isa, 2)
			d.convAlgo = convWinograd
			l := newLayer(d, spec)
			forward, input := both(t, l)
			var wideForward, wideInput []float32
			d.chained(func() { wideForward, wideInput = both(t, l) })
			for name, pair := range map[string][2][]float32{"forward": {wideForward, forward}, "input gradient": {wideInput, input}} {
				if e := rms(pair[0], pair[1]) / rms(pair[1], nil); !(e < 2.5e-5 && e > 5e-6) {
					t.Errorf("%s, %s: error %.3g of the output, want about 1.5e-5", specName(spec), name, e)
				}
			}
			after, inputAfter := both(t, l)
			if !slices.Equal(after, forward) || !slices.Equal(inputAfter, input) {
				t.Errorf("%s: other bits after a chain", specName(spec))
			}
			if a, b, _ := l.conv.Algorithms(); a != "winograd-"+isa.String() || b != a {
				t.Errorf("%s: algorithms %s, %s", specName(spec), a, b)
			}
		}
	})
}

// TestWideForgetsNothing: on whole numbers every term is at least 1, and results are whole but
// for rounding errors, of less than 2⁻²⁴·256·Σ|ab|.
func TestWideForgetsNothing(t *testing.T) {
	onWideISAs(t, func(t *testing.T, isa asm.ISA) {
		for _, spec := range wideSpecs {
			spec.NoParamGrad = true
			direct, wide := testDevice(t, isa, 1), testDevice(t, isa, 1)
			direct.convAlgo, wide.convAlgo = convDirect, convWinograd
			var results [2][]float32
			for i, d := range []*Device{direct, wide} {
				l := newLayer(d, spec)
				for values, to := range map[*[]float32]*tensor{&l.w: l.tw, &l.b: l.tb, &l.x: l.tx, &l.dy: l.ty} {
					for i, v := range *values {
						(*values)[i] = float32(min(max(math.Round(float64(2*v)), -4), 4))
					}
					d.Upload(to, *values)
				}
				d.ParamsChanged()
				y, dx := l.newY(), l.newX()
				d.chained(func() {
					l.conv.Forward(y, nil, l.tx, l.ty)
					l.conv.InputGrad(dx, l.ty, nil, nil)
				})
				results[i] = append(download(t, d, y), download(t, d, dx)...)
			}
			worst := 0.0
			for i, want := range results[0] {
				worst = max(worst, math.Abs(float64(results[1][i]-want)))
			}
			t.Logf("%s: largest error %.2g", specName(spec), worst)
			if !(worst < 0.1) || worst == 0 {
				t.Errorf("%s: results are %g from whole numbers", specName(spec), worst)
			}
		}
	})
}

// TestWideSlices: an image has the same bits in any batch, on any number of threads, in the slices
// of a planned chain.
func TestWideSlices(t *testing.T) {
	onWideISAs(t, func(t *testing.T, isa asm.ISA) {
		for _, spec := range wideSpecs {
			var want [2][]float32
			for _, threads := range []int{1, 3} {
				d := testDevice(t, isa, threads)
				d.convAlgo = convWinograd
				l := newLayer(d, spec)
				d.chained(func() {
					forward, input := both(t, l)
					if threads == 1 {
						want = [2][]float32{forward, input}
					} else if !slices.Equal(forward, want[0]) || !slices.Equal(input, want[1]) {
						t.Errorf("%s: other bits on %d threads", specName(spec), threads)
					}
					y, dx := l.newY(), l.newX()
					for i := range spec.N {
						row := func(t *tensor) backend.Tensor { return d.Rows(t, i, i+1) }
						l.conv.Forward(row(y), nil, row(l.tx), row(l.ty))
						l.conv.InputGrad(row(dx), row(l.ty), row(l.tx), nil)
					}
					if !slices.Equal(download(t, d, y), want[0]) || !slices.Equal(download(t, d, dx), want[1]) {
						t.Errorf("%s: other bits image by image", specName(spec))
					}
				})
				y, dx := l.newY(), l.newX()
				chain := d.NewChain(2, func(int, philox.Key) {
					l.conv.Forward(y, nil, l.tx, l.ty)
					l.conv.InputGrad(dx, l.ty, l.tx, nil)
				})
				chain.Run(testKey)
				chain.Close()
				if !slices.Equal(download(t, d, y), want[0]) || !slices.Equal(download(t, d, dx), want[1]) {
					t.Errorf("%s: other bits in a chain that is planned", specName(spec))
				}
			}
		}
	})
}

// TestWideIsChosen where it is faster, beside what computes calls outside of chains.
func TestWideIsChosen(t *testing.T) {
	base := backend.ConvSpec{N: 2, InC: 32, OutC: 32, H: 16, W: 16, Kernel: 3, Stride: 1, Pad: 1}
	with := func(change func(s *backend.ConvSpec)) backend.ConvSpec {
		s := base
		change(&s)
		return s
	}
	type device struct {
		isa  asm.ISA
		algo convAlgo
		low  lowPrecision
	}
	fast, wide := device{isa: asm.Best()}, "winograd8-"+asm.Best().String()
	for _, c := range []struct {
		device
		spec backend.ConvSpec
		want string // of the input gradient, and of the forward pass unless that has 16 channels
	}{
		{fast, base, wide},
		{fast, with(func(s *backend.ConvSpec) { s.InC = 16 }), wide},
		{fast, with(func(s *backend.ConvSpec) { s.InC, s.OutC = 128, 128 }), wide},
		{fast, with(func(s *backend.ConvSpec) { s.InC, s.OutC = 16, 16 }), ""},
		{fast, with(func(s *backend.ConvSpec) { s.InC, s.OutC = 160, 160 }), ""},
		{fast, with(func(s *backend.ConvSpec) { s.H = 12 }), ""},
		{fast, with(func(s *backend.ConvSpec) { s.Stride = 2 }), ""},
		{fast, with(func(s *backend.ConvSpec) { s.InC = 3 }), ""},
		{device{isa: asm.Best(), algo: convDirect}, base, ""},
		{device{isa: asm.Generic}, base, ""},
		{device{isa: asm.Generic, low: lowInChains}, base, "winograd-bf16-generic"},
		{device{isa: asm.Generic, low: lowEverywhere}, base, ""},
	} {
		if c.isa == asm.Best() && c.isa == asm.Generic {
			t.Skip("this machine has none but the portable kernels")
		}
		d := testDevice(t, c.isa, 1)
		d.convAlgo, d.low = c.algo, c.low
		conv := newLayer(d, c.spec).conv.(*conv)
		for _, id := range []passID{chainedForward, chainedInputGradient} {
			got, want := "", c.want
			if id == chainedForward && c.spec.InC == 16 {
				want = ""
			}
			if p := conv.passes[id]; p != nil {
				got = p.name()
			}
			if got != want {
				t.Errorf("%+v, %s: %q in chains, want %q", c.device, specName(c.spec), got, want)
			}
		}
	}
}

// The weights for chains are counted and foretold.
func TestWideMemory(t *testing.T) {
	onWideISAs(t, func(t *testing.T, isa asm.ISA) {
		for _, spec := range wideSpecs {
			d := testDevice(t, isa, 1)
			d.convAlgo = convWinograd
			foretold, shared := d.ConvSize(spec)
			w, b := d.New(backend.Dense, spec.OutC, spec.InC, 3, 3), d.New(backend.Dense, spec.OutC)
			before, _ := d.InUse()
			d.NewConv(spec, w, b)
			weights := int64(2 * 4 * (asm.WinoPoints + asm.WinoWidePoints) * spec.InC * spec.OutC)
			if now, _ := d.InUse(); now-before != foretold+shared || foretold < weights {
				t.Errorf("%s: the plan takes %d bytes, foretold %d, the weights alone are %d", specName(spec), now-before, foretold+shared, weights)
			}
		}
	})
}
