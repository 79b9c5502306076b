package backendtest

import (
	"fmt"
	"math"

	"jem/backend"
)

// windowGroup is what backend.Windower adds; devices that aren't one lack it.
const windowGroup = "window"

// windowCases are convolutions whose kernel isn't square, as Inception has them, with and
// without padding, and with ReLU in the place of LeakyReLU.
func windowCases() []convCase {
	row := func(n, inC, h, w, outC, kh, kw, stride, ph, pw int) convCase {
		return convCase{backend.ConvSpec{N: n, InC: inC, H: h, W: w, OutC: outC, Kernel: kh, KernelW: kw, Stride: stride,
			Pad: ph, PadW: pw, NoInputGrad: true, NoParamGrad: true}, n}
	}
	return []convCase{
		row(2, 32, 17, 17, 48, 1, 7, 1, 0, 3),
		row(2, 32, 17, 17, 48, 7, 1, 1, 3, 0),
		row(3, 16, 8, 8, 16, 1, 3, 1, 0, 1),
		row(3, 16, 8, 8, 16, 3, 1, 1, 1, 0),
		row(1, 3, 9, 11, 17, 1, 5, 2, 0, 2),
		row(1, 5, 6, 7, 5, 3, 1, 1, 0, 0),
		row(1, 24, 5, 9, 40, 5, 3, 2, 1, 0),
	}
}

func windowChecks() []Check {
	checks := []Check{
		{windowGroup, "max_pool", func(p *Probe) { checkPool(p, backend.Windower.MaxPool, largest) }},
		{windowGroup, "mean_pool", func(p *Probe) { checkPool(p, backend.Windower.MeanPool, average) }},
	}
	for _, c := range windowCases() {
		checks = append(checks, Check{windowGroup, "forward_" + c.String(), func(p *Probe) { checkForward(p, c) }})
	}
	return checks
}

// checkPool compares with the definition over windows that stay inside and that don't, of
// images of all layouts.
func checkPool(p *Probe, pool func(backend.Windower, backend.Tensor, backend.Tensor, backend.Window), of func([]float64) (v, s float64)) {
	for _, w := range []backend.Window{{Size: 3, Stride: 2}, {Size: 3, Stride: 1, Pad: 1}, {Size: 2, Stride: 2, Pad: 1}, {Size: 1, Stride: 1}} {
		for _, s := range images() {
			if !w.Fits(s[2], s[3]) {
				continue
			}
			x, y := p.in(backend.Image, s...), p.out(backend.Image, s[0], s[1], w.Out(s[2]), w.Out(s[3]))
			want := newEstimate(s[0] * s[1] * w.Out(s[2]) * w.Out(s[3]))
			for i := range want.v {
				want.v[i], want.s[i] = of(covered(x.v, s, w, i))
			}
			pool(p.dev.(backend.Windower), y, x.Tensor, w)
			p.near(fmt.Sprint(w, s), y, want, sums)
		}
	}
}

// covered lists the pixels inside the image that output i of a pooling of x (shape s) sees.
func covered(x []float32, s []int, w backend.Window, i int) (all []float64) {
	oh, ow := w.Out(s[2]), w.Out(s[3])
	plane, top, left := i/(oh*ow), i/ow%oh*w.Stride-w.Pad, i%ow*w.Stride-w.Pad
	for r := max(0, top); r < min(top+w.Size, s[2]); r++ {
		for c := max(0, left); c < min(left+w.Size, s[3]); c++ {
			all = append(all, float64(x[(plane*s[2]+r)*s[3]+c]))
		}
	}
	return all
}

// largest is exact: its magnitude is 0.
func largest(values []float64) (v, s float64) {
	v = math.Inf(-1)
	for _, x := range values {
		v = max(v, x)
	}
	return v, 0
}

// average is a sum and a division.
func average(values []float64) (v, s float64) {
	for _, x := range values {
		v += x / float64(len(values))
		s += math.Abs(x) / float64(len(values))
	}
	return v, s
}
