//go:build cuda && linux && amd64

package cuda

import (
	"errors"
	"time"

	"jem/cuda/internal/dnn"
	"jem/cuda/internal/driver"
)

// A race times the ways to make one computation, see Options.Memo.
const (
	runners = 4 // proposals of the library, of each attempt
	heats   = 3 // of which the shortest counts
	laps    = 4 // computations a heat, so that waiting for the card weighs little
)

// races reports whether routes are chosen by a race now: not while a chain is captured, which
// cannot wait.
func (d *Device) races() bool {
	return d.opt.Memo != nil && d.err == nil && (d.chain == nil || !d.chain.capturing)
}

// race runs the first proposals of every attempt on memory of its own and returns the fastest,
// which it keeps in the memo; nil where that memory lacks or no proposal works. A library's
// refusal while it races puts a proposal out, as it would be no use later.
func (c *conv) race(op string, s dnn.Spec) *route {
	d := c.d
	track, err := c.track(s)
	if err != nil {
		return nil
	}
	before := c.pointers
	defer func() {
		c.route, c.pointers = nil, before
		d.run(op, func() error { return d.ctx.Free(track.memory) })
	}()
	var best *route
	var record time.Duration
	for _, a := range c.attempts(s) {
		for _, r := range c.field(op, a) {
			out := r
			if took, ok := c.clock(op, s, r, track.operands); ok && (best == nil || took < record) {
				out, best, record = best, r, took
			}
			if out != nil {
				out.plan.Destroy()
			}
		}
	}
	if best != nil {
		d.opt.Memo.Keep(s.String(), best.name)
	}
	return best
}

// field plans the first proposals of an attempt. Of several with one name only the first runs:
// a saved choice could not tell them apart.
func (c *conv) field(op string, a attempt) (all []*route) {
	seen := map[string]bool{}
	c.d.run(op, func() error {
		for l := c.d.limits; l.Skip < runners; l.Skip++ {
			p, err := a.plan(a.spec, l)
			if err != nil {
				return nil // there are no more
			}
			if r := a.take(p); !seen[r.name] {
				seen[r.name] = true
				all = append(all, r)
			} else {
				p.Destroy()
			}
		}
		return nil
	})
	return all
}

// clock returns how long a route takes for a computation.
func (c *conv) clock(op string, s dnn.Spec, r *route, operands dnn.Pointers) (best time.Duration, ok bool) {
	d := c.d
	c.route = r
	lap := func() {
		c.pointers = operands
		c.follow(s)
	}
	lap() // loads what is to be loaded
	d.run(op, d.ctx.Sync)
	for range heats {
		start := time.Now()
		for range laps {
			lap()
		}
		d.run(op, d.ctx.Sync)
		if took := time.Since(start); best == 0 || took < best {
			best = took
		}
	}
	ok = d.err == nil
	d.err = nil // a dead context says so again
	return best, ok
}

// track is memory for the operands of a spec that nothing else uses.
type track struct {
	memory   driver.Pointer
	operands dnn.Pointers
}

// track reserves and clears it: engines take the same time for any numbers that are no faults.
func (c *conv) track(s dnn.Spec) (t track, err error) {
	const aligned = 256
	var bytes int64
	sizes := c.elements(s)
	for place, n := range sizes {
		if n > 0 {
			t.operands[place] = uintptr(bytes)
			bytes += (int64(n)*word + aligned - 1) &^ (aligned - 1)
		}
	}
	ctx := c.d.ctx
	err = ctx.Do(func() (err error) {
		if t.memory, err = ctx.Alloc(bytes); err != nil {
			return err
		}
		if err = ctx.Zero(t.memory, bytes); err != nil {
			err = errors.Join(err, ctx.Free(t.memory))
		}
		return err
	})
	for place, n := range sizes {
		if n > 0 {
			t.operands[place] += uintptr(t.memory)
		}
	}
	return t, err
}

// elements are the sizes of a spec's operands, 0 for those it lacks.
func (c *conv) elements(s dnn.Spec) (n [dnn.Places]int) {
	x, w, y := s.N*s.C*s.H*s.W, s.K*s.C*s.R*s.S, s.N*s.K*c.spec.OutH()*c.spec.OutW()
	given := func(place dnn.Place, has bool, size int) {
		if has {
			n[place] = size
		}
	}
	switch s.Pass {
	case dnn.Forward:
		n[dnn.X], n[dnn.W] = x, w
		given(dnn.Bias, s.Bias, s.K)
		given(dnn.Residual, s.Residual, y)
		given(dnn.Raw, s.Raw, y)
		given(dnn.Act, s.Act, y)
	case dnn.InputGrad:
		n[dnn.Y], n[dnn.W], n[dnn.DX] = y, w, x
		given(dnn.Act, s.Act, x)
		given(dnn.Residual, s.Residual, x)
	case dnn.ParamGrad:
		n[dnn.X], n[dnn.Y], n[dnn.DW] = x, y, w
	}
	return n
}
