package backendtest

import (
	"fmt"
	"strings"

	"jem/backend"
)

// verb is one of a convolution's three.
type verb int

const (
	forward verb = iota
	inputGrad
	paramGrad
)

// winograd is the allowance of every algorithm of that name, times the stride: F(4×4,3×3)
// at the points 0, ±5/8, ±3/2, ∞ reaches 24 over all cases with borders, F(3×3,4×4) 8, and
// stride 2 by F(4×4,2×2) 28 (docs/numerics.md).
const winograd = 64

// convBound is the bound for the algorithm that a plan chose, in units of u·Σ|ab|.
func (p *Probe) convBound(c backend.Conv, v verb) float64 {
	names := [3]string{}
	names[forward], names[inputGrad], names[paramGrad] = c.Algorithms()
	bound := sums
	if strings.Contains(names[v], "winograd") {
		bound = float64(winograd * c.Spec().Stride)
	}
	for part, b := range p.opt.Widen {
		if strings.Contains(names[v], part) {
			bound = max(bound, b)
		}
	}
	return bound
}

// convCase is a spec with the batch to run it at (the spec's N is only the plan's).
type convCase struct {
	backend.ConvSpec
	n int
}

func (c convCase) String() string {
	if c.KernelW > 0 {
		return fmt.Sprintf("%dto%d_k%dx%ds%dp%dx%d_%dx%d_n%d", c.InC, c.OutC, c.Kernel, c.KernelW, c.Stride, c.Pad, c.PadW, c.H, c.W, c.n)
	}
	return fmt.Sprintf("%dto%d_k%ds%dp%d_%dx%d_n%d", c.InC, c.OutC, c.Kernel, c.Stride, c.Pad, c.H, c.W, c.n)
}

// convCases: one pixel, the picture layer, channels at and beside the multiples of 16,
// odd heights and widths, both strides, the 1×1 shortcut, no padding, a larger kernel,
// and batches other than the planned one.
func convCases() []convCase {
	row := func(n, inC, h, w, outC, kernel, stride, pad, planned int) convCase {
		return convCase{backend.ConvSpec{N: planned, InC: inC, H: h, W: w, OutC: outC, Kernel: kernel, Stride: stride, Pad: pad, Slope: 0.2}, n}
	}
	return []convCase{
		row(1, 1, 1, 1, 1, 1, 1, 0, 1),
		row(1, 1, 1, 1, 1, 3, 1, 1, 1),
		row(1, 3, 32, 32, 16, 3, 1, 1, 1),
		row(3, 3, 8, 8, 16, 3, 1, 1, 3),
		row(3, 3, 5, 7, 5, 3, 1, 1, 3),
		row(3, 5, 7, 7, 17, 3, 2, 1, 3),
		row(1, 1, 9, 40, 16, 3, 1, 1, 1),
		row(3, 16, 8, 8, 16, 3, 1, 1, 3),
		row(1, 16, 33, 31, 32, 3, 1, 1, 1),
		row(1, 17, 9, 11, 24, 3, 1, 1, 1),
		row(2, 24, 13, 5, 32, 3, 1, 1, 5),
		row(5, 32, 7, 7, 40, 3, 2, 1, 2),
		row(1, 40, 6, 6, 40, 3, 1, 1, 1),
		row(3, 32, 16, 16, 32, 3, 2, 1, 3),
		row(1, 32, 1, 9, 16, 3, 1, 1, 1),
		row(3, 64, 8, 8, 64, 3, 1, 1, 3),
		row(1, 16, 6, 7, 3, 3, 1, 1, 1),
		row(3, 16, 8, 8, 32, 1, 2, 0, 3),
		row(1, 32, 7, 7, 17, 1, 2, 0, 1),
		row(3, 3, 5, 5, 5, 1, 1, 0, 3),
		row(1, 40, 5, 3, 24, 1, 1, 0, 1),
		row(1, 16, 7, 9, 16, 3, 1, 0, 1),
		row(1, 3, 9, 7, 16, 5, 1, 2, 1),
	}
}

func convChecks() []Check {
	checks := []Check{
		{"conv", "params_changed", paramsChanged},
		{"conv", "no_bias", noBias},
		{"conv", "sampling_plan", samplingPlan},
		{"conv", "rows_as_operands", convOnRows},
		{"conv", "same_bits_again", convAgain},
		{"conv", "allocates_nothing", convAllocates},
	}
	for _, c := range convCases() {
		checks = append(checks,
			Check{"conv", "forward_" + c.String(), func(p *Probe) { checkForward(p, c) }},
			Check{"conv", "input_grad_" + c.String(), func(p *Probe) { checkInputGrad(p, c) }},
			Check{"conv", "param_grad_" + c.String(), func(p *Probe) { checkParamGrad(p, c) }})
	}
	return checks
}

func (c convCase) x() []int { return []int{c.n, c.InC, c.H, c.W} }
func (c convCase) y() []int { return []int{c.n, c.OutC, c.OutH(), c.OutW()} }

// plan makes the case's plan with random parameters.
func (p *Probe) plan(c convCase) (plan backend.Conv, w, b *operand) {
	kh, kw := c.Window()
	w, b = p.in(backend.Dense, c.OutC, c.InC, kh, kw), p.in(backend.Dense, c.OutC)
	return p.dev.NewConv(c.ConvSpec, w.Tensor, b.Tensor), w, b
}

// checkForward tries every combination of outputs and residual, the residual in place too.
func checkForward(p *Probe, c convCase) {
	plan, w, b := p.plan(c)
	if got := plan.Spec(); got != c.ConvSpec {
		p.faultf("Spec() = %+v, want %+v", got, c.ConvSpec)
	}
	x, res := p.in(backend.Image, c.x()...), p.in(backend.Image, c.y()...)
	k := p.convBound(plan, forward)
	plain := convForward(c.ConvSpec, c.n, x.v, w.v, b.v)
	for _, m := range []struct {
		name                        string
		raw, act, residual, inPlace bool
	}{
		{"raw", true, false, false, false}, {"act", false, true, false, false}, {"raw, act", true, true, false, false},
		{"raw, residual", true, false, true, false}, {"act, residual", false, true, true, false}, {"raw, act, residual", true, true, true, false},
		{"raw, residual in place", true, false, true, true}, {"raw, act, residual in place", true, true, true, true},
	} {
		want := plain
		var raw, act, residual backend.Tensor
		if m.residual {
			residual, want = res.Tensor, plain.plus(res.v)
		}
		if m.raw {
			raw = p.out(backend.Image, c.y()...)
		}
		if m.act {
			act = p.out(backend.Image, c.y()...)
		}
		if m.inPlace {
			raw = p.put(res.v, backend.Image, c.y()...).Tensor
			residual = raw
		}
		plan.Forward(raw, act, x.Tensor, residual)
		if m.raw {
			p.near("raw of "+m.name, raw, want, k)
		}
		if m.act {
			p.near("act of "+m.name, act, want.leaky(c.Slope), k+1)
		}
	}
}

func checkInputGrad(p *Probe, c convCase) {
	plan, w, _ := p.plan(c)
	dy, res := p.in(backend.Image, c.y()...), p.in(backend.Image, c.x()...)
	act := p.fixed(withZero(p.random(size(c.x()))), backend.Image, c.x()...)
	k := p.convBound(plan, inputGrad)
	plain := convInputGrad(c.ConvSpec, c.n, dy.v, w.v)
	for _, gated := range []bool{false, true} {
		want, name, gate := plain, "dx", backend.Tensor(nil)
		if gated {
			want, name, gate = plain.gated(act.v, c.Slope), "dx with act", act.Tensor
		}
		dx := p.out(backend.Image, c.x()...)
		plan.InputGrad(dx, dy.Tensor, gate, nil)
		p.near(name, dx, want, k+1)
		want = want.plus(res.v)
		sum := p.out(backend.Image, c.x()...)
		plan.InputGrad(sum, dy.Tensor, gate, res.Tensor)
		p.near(name+" and residual", sum, want, k+1)
		place := p.put(res.v, backend.Image, c.x()...)
		plan.InputGrad(place.Tensor, dy.Tensor, gate, place.Tensor)
		p.near(name+" and residual in place", place.Tensor, want, k+1)
	}
}

// checkParamGrad starts from nonzero gradients, to which the verb adds.
func checkParamGrad(p *Probe, c convCase) {
	plan, w, b := p.plan(c)
	x, dy := p.in(backend.Image, c.x()...), p.in(backend.Image, c.y()...)
	k := p.convBound(plan, paramGrad)
	dw0, db0 := p.random(len(w.v)), p.random(len(b.v))
	dw, db := convParamGrad(c.ConvSpec, c.n, x.v, dy.v)
	dw, db = dw.plus(dw0), db.plus(db0)
	gw, gb := p.put(dw0, backend.Dense, w.Shape()...), p.put(db0, backend.Dense, c.OutC)
	plan.ParamGrad(gw.Tensor, gb.Tensor, x.Tensor, dy.Tensor)
	p.near("dw", gw.Tensor, dw, k)
	p.near("db", gb.Tensor, db, sums)
	alone := p.put(dw0, backend.Dense, w.Shape()...)
	plan.ParamGrad(alone.Tensor, nil, x.Tensor, dy.Tensor)
	p.near("dw without db", alone.Tensor, dw, k)
}
