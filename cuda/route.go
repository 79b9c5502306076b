//go:build cuda && linux && amd64

package cuda

import (
	"errors"
	"fmt"

	"jem/cuda/internal/dnn"
	"jem/cuda/internal/driver"
)

// route is the way one computation takes: a plan that does all of it, or a bare convolution
// with a kernel of ours around it.
type route struct {
	plan     dnn.Plan
	fused    bool
	name     string
	gradient storage // of a parameter gradient
}

// find returns the route for a spec, planned on first use; nil after an error.
func (c *conv) find(op string, s dnn.Spec) *route {
	if r, ok := c.routes[s]; ok || c.d.err != nil {
		return r
	}
	var r *route
	c.d.run(op, func() (err error) {
		r, err = c.choose(s)
		return err
	})
	if r != nil {
		c.routes[s] = r
	}
	return r
}

// choose asks the library for the first that exists: the graph API's fused plan; the legacy
// calls; the graph API's bare plan. The option rules engines out.
func (c *conv) choose(s dnn.Spec) (*route, error) {
	d, bare := c.d, s.Bare()
	var refused []error
	attempt := func(plan func(dnn.Spec, dnn.Limits) (dnn.Plan, error), s dnn.Spec) dnn.Plan {
		p, err := plan(s, d.limits)
		if err != nil {
			refused = append(refused, err)
			return nil
		}
		return p
	}
	if d.opt.ConvEngine != "legacy" {
		if p := attempt(d.handle.Graph, s); p != nil {
			return &route{plan: p, fused: true, name: p.Name()}, nil
		}
	}
	if d.opt.ConvEngine != "graph" {
		if p := attempt(d.handle.Legacy, bare); p != nil {
			return &route{plan: p, fused: s == bare, name: p.Name(), gradient: storageOf(s.Precision)}, nil
		}
	}
	if d.opt.ConvEngine != "legacy" && s != bare {
		if p := attempt(d.handle.Graph, bare); p != nil {
			return &route{plan: p, name: p.Name()}, nil
		}
	}
	return nil, fmt.Errorf("no engine for %s %+v within %d MiB of working memory: raise --workspace-limit or choose another --conv-engine: %w",
		d.opt.ConvEngine, s, d.limits.Workspace>>20, errors.Join(refused...))
}

// unfused makes the bare convolution and then what the spec adds to it. The bare result goes
// where the final one will be, or aside where that place holds the residual.
func (c *conv) unfused(s dnn.Spec) {
	d, p, held := c.d, &c.pointers, storageOf(s.Precision)
	at := func(place dnn.Place) driver.Pointer { return driver.Pointer(p[place]) }
	elem := int64(word)
	if held == half {
		elem /= 2
	}
	if s.Pass == dnn.Forward {
		raw, act, pixels := at(dnn.Raw), at(dnn.Act), s.N*c.spec.OutH()*c.spec.OutW()
		bare := raw
		if raw == 0 {
			bare = act
		}
		if s.Residual && bare == at(dnn.Residual) {
			bare = d.reserve(c.op, result, int64(pixels*s.K)*elem)
		}
		p[dnn.Raw] = uintptr(bare)
		d.run(c.op, c.enqueue)
		d.kernel(c.op, "conv_forward_tail", held).ptr(raw, act, bare, at(dnn.Bias), at(dnn.Residual)).num(pixels, s.K).float(s.Slope).over(pixels * s.K)
		return
	}
	dx, n := at(dnn.DX), s.N*s.C*s.H*s.W
	bare := dx
	if s.Residual && bare == at(dnn.Residual) {
		bare = d.reserve(c.op, result, int64(n)*elem)
	}
	p[dnn.DX] = uintptr(bare)
	d.run(c.op, c.enqueue)
	d.kernel(c.op, "conv_input_grad_tail", held).ptr(dx, bare, at(dnn.Act), at(dnn.Residual)).num(n).float(s.Slope).over(n)
}
