package backendtest

import (
	"math"
	"slices"

	"jem/backend"
)

// adjointChecks hold the three verbs against each other at the size of the published
// network, where no definition is affordable: every convolution of WRN-16-2 at batch 4
// and the widest of WRN-28-10 at batch 1.
func adjointChecks() []Check {
	convs := NetworkConvs(16, 2, 3, 32, 4)
	for _, c := range NetworkConvs(28, 10, 3, 32, 1) {
		if c.Spec.InC == 640 || c.Spec.OutC == 640 {
			convs = append(convs, c)
		}
	}
	var checks []Check
	for _, c := range convs {
		checks = append(checks, Check{"adjoint", c.Name, func(p *Probe) { adjoint(p, c.Spec) }})
	}
	return checks
}

// adjoint checks ⟨Conv x, y⟩ = ⟨x, InputGrad y⟩ = ⟨w, ParamGrad(x,y)⟩. Each side is the same
// trilinear sum of T = Σ|x·w·y|, and each verb errs in each element by at most 6·u times
// the element's share of T, so two sides differ by at most 12·u·T. The device computes T
// itself, from the magnitudes: a sum of positive terms, so its own error doesn't matter.
// One output pixel forgotten changes a side by about √(terms), far above the bound.
func adjoint(p *Probe, s backend.ConvSpec) {
	if p.opt.Short { // same channels, fewer images and pixels
		s.N, s.H, s.W = 1, min(s.H, 8), min(s.W, 8)
	}
	shape := []int{s.N, s.OutC, s.OutH(), s.OutW()}
	x, dy := p.in(backend.Image, s.N, s.InC, s.H, s.W), p.in(backend.Image, shape...)
	w := p.in(backend.Dense, s.OutC, s.InC, s.Kernel, s.Kernel)
	plan := p.dev.NewConv(s, w.Tensor, nil)

	y, dx := p.out(backend.Image, shape...), p.out(backend.Image, x.Shape()...)
	dw := p.put(make([]float32, len(w.v)), backend.Dense, w.Shape()...)
	plan.Forward(y, nil, x.Tensor, nil)
	plan.InputGrad(dx, dy.Tensor, nil, nil)
	plan.ParamGrad(dw.Tensor, nil, x.Tensor, dy.Tensor)
	a, b, c := dot(p.get(y), dy.v), dot(p.get(dx), x.v), dot(p.get(dw.Tensor), w.v)

	abs := p.dev.NewConv(s, p.fixed(magnitudes(w.v), backend.Dense, w.Shape()...).Tensor, nil)
	abs.Forward(y, nil, p.fixed(magnitudes(x.v), backend.Image, x.Shape()...).Tensor, nil)
	total := dot(p.get(y), magnitudes(dy.v))
	k := p.convBound(plan, forward)
	equal(p, "<Conv x, y> and <x, InputGrad y>", a, b, (k+p.convBound(plan, inputGrad))*u*total)
	equal(p, "<Conv x, y> and <w, ParamGrad(x,y)>", a, c, (k+p.convBound(plan, paramGrad))*u*total)
}

// equal compares two numbers that may differ by bound.
func equal(p *Probe, what string, a, b, bound float64) {
	err := math.Abs(a - b)
	ratio := err / bound
	if !(ratio <= 1) {
		p.faultf("%s: %v and %v differ by %.3g, bound %.3g", what, a, b, err, bound)
	}
	if !(ratio <= p.worst.ratio) || p.worst.place == "" {
		p.worst = deviation{err, ratio, what}
	}
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

func magnitudes(v []float32) []float32 {
	m := slices.Clone(v)
	for i, x := range m {
		m[i] = float32(math.Abs(float64(x)))
	}
	return m
}
