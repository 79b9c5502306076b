package backendtest

import (
	"runtime"

	"jem/backend"
)

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
