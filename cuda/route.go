//go:build cuda && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"maps"

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
	r := c.asked(op, s)
	if r == nil && c.d.races() {
		r = c.race(op, s)
	}
	if r == nil {
		c.d.run(op, func() (err error) {
			r, err = c.choose(s)
			return err
		})
	}
	if r != nil {
		c.routes[s] = r
	}
	return r
}

// attempt is one way to plan a spec.
type attempt struct {
	plan  func(dnn.Spec, dnn.Limits) (dnn.Plan, error)
	spec  dnn.Spec
	route route // but for the plan
}

// attempts are the ways that the option allows, the preferred first: the graph API's fused plan;
// the legacy calls; the graph API's bare plan.
func (c *conv) attempts(s dnn.Spec) (all []attempt) {
	h, bare, engine := c.d.handle, s.Bare(), c.d.opt.ConvEngine
	if engine != "legacy" {
		all = append(all, attempt{h.Graph, s, route{fused: true}})
	}
	if engine != "graph" {
		all = append(all, attempt{h.Legacy, bare, route{fused: s == bare, gradient: storageOf(s.Precision)}})
	}
	if engine != "legacy" && s != bare {
		all = append(all, attempt{h.Graph, bare, route{}})
	}
	return all
}

// asked plans what Device.UseChoices asked for, else what the memo recalls; nil where that is
// nothing, or nothing that this device can use.
func (c *conv) asked(op string, s dnn.Spec) (r *route) {
	d, key := c.d, s.String()
	names := []string{d.asked[key]}
	if d.opt.Memo != nil {
		names = append(names, d.opt.Memo.Recall(key))
	}
	d.run(op, func() error {
		for _, name := range names {
			for _, a := range c.attempts(s) {
				if r = a.named(name, d.limits); r != nil {
					return nil
				}
			}
		}
		return nil
	})
	return r
}

// choose takes the first plan that the library proposes.
func (c *conv) choose(s dnn.Spec) (*route, error) {
	d := c.d
	var refused []error
	for _, a := range c.attempts(s) {
		p, err := a.plan(a.spec, d.limits)
		if err == nil {
			return a.take(p), nil
		}
		refused = append(refused, err)
	}
	return nil, fmt.Errorf("no engine for %s (%s) within %d MiB of working memory: raise --workspace-limit or choose another --conv-engine: %w",
		s, d.opt.ConvEngine, d.limits.Workspace>>20, errors.Join(refused...))
}

func (a attempt) take(p dnn.Plan) *route {
	r := a.route
	r.plan, r.name = p, p.Name()
	if !r.fused {
		r.name += ", the rest apart"
	}
	return &r
}

// named looks for a proposal of the given name.
func (a attempt) named(name string, l dnn.Limits) *route {
	const most = 16 // proposals
	if name == "" {
		return nil
	}
	for ; l.Skip < most; l.Skip++ {
		p, err := a.plan(a.spec, l)
		if err != nil {
			return nil
		}
		if r := a.take(p); r.name == name {
			return r
		}
		p.Destroy()
	}
	return nil
}

// Choices implements backend.Chooser.
func (d *Device) Choices() map[string]string {
	all := map[string]string{}
	for _, c := range d.convs {
		for s, r := range c.routes {
			all[s.String()] = r.name
		}
	}
	return all
}

// UseChoices implements backend.Chooser.
func (d *Device) UseChoices(choices map[string]string) { d.asked = maps.Clone(choices) }

// unfused makes the bare convolution and then what the spec adds to it.
func (c *conv) unfused(s dnn.Spec) {
	d, p, held := c.d, c.pointers, storageOf(s.Precision)
	at := func(place dnn.Place) driver.Pointer { return driver.Pointer(p[place]) }
	if s.Pass == dnn.InputGrad {
		n := s.N * s.C * s.H * s.W
		bare := c.bare(s, dnn.DX, at(dnn.DX), n)
		d.kernel(c.op, "conv_input_grad_tail", held).ptr(at(dnn.DX), bare, at(dnn.Act), at(dnn.Residual)).num(n).float(s.Slope).over(n)
		return
	}
	place, pixels := at(dnn.Raw), s.N*c.spec.OutH()*c.spec.OutW()
	if place == 0 {
		place = at(dnn.Act)
	}
	bare := c.bare(s, dnn.Raw, place, pixels*s.K)
	d.kernel(c.op, "conv_forward_tail", held).ptr(at(dnn.Raw), at(dnn.Act), bare, at(dnn.Bias), at(dnn.Residual)).num(pixels, s.K).float(s.Slope).over(pixels * s.K)
}

// bare makes the bare convolution of n elements and returns where its result is: in the final
// one's place, or aside where that holds the residual.
func (c *conv) bare(s dnn.Spec, result dnn.Place, place driver.Pointer, n int) driver.Pointer {
	if s.Residual && uintptr(place) == c.pointers[dnn.Residual] {
		place = c.d.reserve(c.op, aside, int64(n)*word)
	}
	c.pointers[result] = uintptr(place)
	c.d.run(c.op, c.enqueue)
	return place
}
