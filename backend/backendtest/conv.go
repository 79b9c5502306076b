package backendtest

import (
	"fmt"
	"runtime"
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

// convBound is the bound for the algorithm that a plan chose, in units of u·Σ|ab|:
// float32 sums of zero-mean products, up to 65,536 of them, stay under 3; 4 leaves room.
func (p *Probe) convBound(c backend.Conv, v verb) float64 {
	names := [3]string{}
	names[forward], names[inputGrad], names[paramGrad] = c.Algorithms()
	bound := 4.0
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
	w, b = p.in(backend.Dense, c.OutC, c.InC, c.Kernel, c.Kernel), p.in(backend.Dense, c.OutC)
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
	p.near("db", gb.Tensor, db, 4)
	alone := p.put(dw0, backend.Dense, w.Shape()...)
	plan.ParamGrad(alone.Tensor, nil, x.Tensor, dy.Tensor)
	p.near("dw without db", alone.Tensor, dw, k)
}

// typical are the layers that the remaining checks use: the picture layer, a block's two
// convolutions, the shortcut.
func typical() []convCase {
	s := func(inC, hw, outC, kernel, stride int) convCase {
		return convCase{backend.ConvSpec{N: 2, InC: inC, H: hw, W: hw, OutC: outC, Kernel: kernel, Stride: stride, Pad: (kernel - 1) / 2, Slope: 0.2}, 2}
	}
	return []convCase{s(3, 8, 16, 3, 1), s(16, 8, 32, 3, 1), s(32, 8, 32, 3, 2), s(16, 8, 32, 1, 2)}
}

func paramsChanged(p *Probe) {
	for _, c := range typical() {
		w, b := p.put(p.random(c.OutC*c.InC*c.Kernel*c.Kernel), backend.Dense, c.OutC, c.InC, c.Kernel, c.Kernel), p.put(p.random(c.OutC), backend.Dense, c.OutC)
		plan := p.dev.NewConv(c.ConvSpec, w.Tensor, b.Tensor)
		x, dy := p.in(backend.Image, c.x()...), p.in(backend.Image, c.y()...)
		y, dx := p.alloc(backend.Image, c.y()...), p.alloc(backend.Image, c.x()...)
		for _, change := range []string{"at first", "after an upload", "after a step"} {
			switch change {
			case "after an upload":
				p.dev.Upload(w.Tensor, p.random(len(w.v)))
				p.dev.Upload(b.Tensor, p.random(len(b.v)))
			case "after a step":
				p.dev.Axpy(w.Tensor, 0.5, p.in(backend.Dense, w.Shape()...).Tensor)
				p.dev.Axpy(b.Tensor, 0.5, p.in(backend.Dense, c.OutC).Tensor)
			}
			p.dev.ParamsChanged()
			wv, bv := p.get(w.Tensor), p.get(b.Tensor)
			plan.Forward(y, nil, x.Tensor, nil)
			p.near(c.String()+" forward "+change, y, convForward(c.ConvSpec, c.n, x.v, wv, bv), p.convBound(plan, forward))
			plan.InputGrad(dx, dy.Tensor, nil, nil)
			p.near(c.String()+" input gradient "+change, dx, convInputGrad(c.ConvSpec, c.n, dy.v, wv), p.convBound(plan, inputGrad))
		}
	}
}

func noBias(p *Probe) {
	for _, c := range typical() {
		w, x := p.in(backend.Dense, c.OutC, c.InC, c.Kernel, c.Kernel), p.in(backend.Image, c.x()...)
		plan := p.dev.NewConv(c.ConvSpec, w.Tensor, nil)
		raw, act := p.out(backend.Image, c.y()...), p.out(backend.Image, c.y()...)
		plan.Forward(raw, act, x.Tensor, nil)
		want := convForward(c.ConvSpec, c.n, x.v, w.v, nil)
		p.near(c.String()+" raw", raw, want, p.convBound(plan, forward))
		p.near(c.String()+" act", act, want.leaky(c.Slope), p.convBound(plan, forward)+1)
	}
}

// samplingPlan: a plan told that a gradient is never asked for still gives the other.
func samplingPlan(p *Probe) {
	for _, c := range typical() {
		x, dy := p.in(backend.Image, c.x()...), p.in(backend.Image, c.y()...)
		s := c
		s.NoParamGrad = true
		plan, w, _ := p.plan(s)
		dx := p.out(backend.Image, c.x()...)
		plan.Forward(p.out(backend.Image, c.y()...), nil, x.Tensor, nil)
		plan.InputGrad(dx, dy.Tensor, nil, nil)
		p.near(c.String()+" dx", dx, convInputGrad(c.ConvSpec, c.n, dy.v, w.v), p.convBound(plan, inputGrad))
		s.NoParamGrad, s.NoInputGrad = false, true
		plan, w, _ = p.plan(s)
		dw := p.put(make([]float32, len(w.v)), backend.Dense, w.Shape()...)
		plan.ParamGrad(dw.Tensor, nil, x.Tensor, dy.Tensor)
		want, _ := convParamGrad(c.ConvSpec, c.n, x.v, dy.v)
		p.near(c.String()+" dw", dw.Tensor, want, p.convBound(plan, paramGrad))
	}
}

// convOnRows gives the verbs views in the middle of larger tensors, whose other rows
// must neither be read nor written: they hold NaN.
func convOnRows(p *Probe) {
	for _, c := range typical() {
		plan, w, b := p.plan(c)
		xv, dyv := p.random(size(c.x())), p.random(size(c.y()))
		x, dy := p.middle(xv, c.x()), p.middle(dyv, c.y())
		y, dx := p.middle(nil, c.y()), p.middle(nil, c.x())
		plan.Forward(p.dev.Rows(y, 1, 1+c.n), nil, p.dev.Rows(x, 1, 1+c.n), nil)
		p.near(c.String()+" forward", p.dev.Rows(y, 1, 1+c.n), convForward(c.ConvSpec, c.n, xv, w.v, b.v), p.convBound(plan, forward))
		plan.InputGrad(p.dev.Rows(dx, 1, 1+c.n), p.dev.Rows(dy, 1, 1+c.n), nil, nil)
		p.near(c.String()+" dx", p.dev.Rows(dx, 1, 1+c.n), convInputGrad(c.ConvSpec, c.n, dyv, w.v), p.convBound(plan, inputGrad))
		dw := p.put(make([]float32, len(w.v)), backend.Dense, w.Shape()...)
		plan.ParamGrad(dw.Tensor, nil, p.dev.Rows(x, 1, 1+c.n), p.dev.Rows(dy, 1, 1+c.n))
		want, _ := convParamGrad(c.ConvSpec, c.n, xv, dyv)
		p.near(c.String()+" dw", dw.Tensor, want, p.convBound(plan, paramGrad))
		for _, t := range []backend.Tensor{y, dx} {
			p.edgesNaN(c.String(), t, c.n)
		}
	}
}

// middle makes an image tensor with one more image of NaN before and after v (nil: NaN).
func (p *Probe) middle(v []float32, shape []int) backend.Tensor {
	t := p.out(backend.Image, shape[0]+2, shape[1], shape[2], shape[3])
	if v != nil {
		p.dev.Upload(p.dev.Rows(t, 1, 1+shape[0]), v)
	}
	return t
}

// edgesNaN faults when the first or last row of t holds a number.
func (p *Probe) edgesNaN(what string, t backend.Tensor, n int) {
	v := p.get(t)
	row := len(v) / (n + 2)
	for i, x := range v {
		if (i < row || i >= (n+1)*row) && x == x {
			p.faultf("%s: row %d beside the destination was written", what, i/row)
			return
		}
	}
}

// convAgain: the same call gives the same bytes.
func convAgain(p *Probe) {
	for _, c := range typical() {
		plan, w, b := p.plan(c)
		x, dy := p.in(backend.Image, c.x()...), p.in(backend.Image, c.y()...)
		var first [4][]float32
		for pass := range 3 {
			y, dx := p.out(backend.Image, c.y()...), p.out(backend.Image, c.x()...)
			dw, db := p.put(make([]float32, len(w.v)), backend.Dense, w.Shape()...), p.put(make([]float32, len(b.v)), backend.Dense, c.OutC)
			plan.Forward(y, nil, x.Tensor, nil)
			plan.InputGrad(dx, dy.Tensor, nil, nil)
			plan.ParamGrad(dw.Tensor, db.Tensor, x.Tensor, dy.Tensor)
			for i, t := range []backend.Tensor{y, dx, dw.Tensor, db.Tensor} {
				if pass == 0 {
					first[i] = p.get(t)
				} else {
					p.same(c.String()+" again: "+[]string{"y", "dx", "dw", "db"}[i], t, first[i])
				}
			}
		}
	}
}

// convAllocates counts objects on the Go heap; the runtime itself may make a few.
func convAllocates(p *Probe) {
	for _, c := range typical() {
		plan, w, b := p.plan(c)
		x, dy := p.in(backend.Image, c.x()...), p.in(backend.Image, c.y()...)
		y, dx := p.alloc(backend.Image, c.y()...), p.alloc(backend.Image, c.x()...)
		dw, db := p.alloc(backend.Dense, w.Shape()...), p.alloc(backend.Dense, b.Shape()...)
		const passes = 30
		var before, after runtime.MemStats
		for pass := range passes + 1 { // the first may still choose and reserve
			if pass == 1 {
				runtime.ReadMemStats(&before)
			}
			plan.Forward(y, nil, x.Tensor, nil)
			plan.InputGrad(dx, dy.Tensor, nil, nil)
			plan.ParamGrad(dw, db, x.Tensor, dy.Tensor)
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n >= passes {
			p.faultf("%s: %d allocations in %d passes", c, n, passes)
		}
	}
}
