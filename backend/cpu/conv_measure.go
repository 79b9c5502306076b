package cpu

import (
	"math"
	"runtime"
	"time"

	"jem/backend"
)

const (
	// measureWork and measureSize bound the images that an algorithm is measured on, in
	// multiply-adds (5 ms at 100 GFLOP/s) and floats of one tensor (8 MiB, far beyond the
	// level 2 cache, so that memory counts as in earnest).
	measureWork = 1 << 28
	measureSize = 2 << 20
	// measureFewest images share what is done once for all of them, reading the weights.
	measureFewest = 8
	// measureTime is how long one direction is measured at least, measureTurns how many turns
	// each candidate has at least, doubtTurns how many before the rule's is given up: where
	// other load disturbs, three turns may all be bad ones.
	measureTime  = 20 * time.Millisecond
	measureTurns = 3
	doubtTurns   = 12
	// measureGain is how much faster than the usual algorithm another one must be: less is
	// noise.
	measureGain = 1.05
)

// fastest measures candidates in turns, each by its own fastest round, and
// returns the index of the winner. Operands are scratch tensors of up to the planned size.
func (c *conv) fastest(dir direction, all []candidate) int {
	used, recording := c.d.meter.now, c.d.recording
	c.d.recording = nil // a plan may come in a pass, whose calls these are none of
	defer func() {
		c.d.recording = recording
		c.d.meter.now = used // all of it is garbage when the winner is planned
		runtime.GC()         // so that the next layer's operands take its place
	}()
	t := c.trial()
	passes, best := make([]func(), len(all)), make([]time.Duration, len(all))
	for i, a := range all {
		a.use()
		passes[i], best[i] = t.pass(c, dir), math.MaxInt64
		passes[i]() // weights are packed, memory is touched
	}
	for begin, round := time.Now(), 0; !decided(best, round, time.Since(begin)); round++ {
		for i, pass := range passes {
			start := time.Now()
			pass()
			best[i] = min(best[i], time.Since(start))
		}
	}
	c.d.ParamsChanged() // parameters may be set after planning: what was packed now is void
	return winner(best)
}

// decided reports whether so many turns in so much time are enough.
func decided(best []time.Duration, turns int, spent time.Duration) bool {
	if turns < measureTurns || winner(best) != 0 {
		return turns >= doubtTurns
	}
	return spent >= measureTime
}

// winner is the index of the least time, or 0 unless that is better by measureGain.
func winner(best []time.Duration) int {
	w := 0
	for i, t := range best {
		if t < best[w] && float64(t)*measureGain < float64(best[0]) {
			w = i
		}
	}
	return w
}

// trial are operands to measure with.
type trial struct{ x, dx, y, dy, residual, dw, db *tensor }

// trial allocates operands for a layer.
func (c *conv) trial() *trial {
	s := c.spec
	perImage := max(c.x.image, c.y.image)
	n := min(s.N, max(measureFewest, min(int(measureWork/s.MACs(1)), measureSize/perImage)))
	image := func(g geometry) *tensor {
		t := c.d.New(backend.Image, n, g.c, g.h, g.w).(*tensor)
		c.d.Fill(t, 1) // else all of it is the system's one page of zeros
		return t
	}
	t := &trial{x: image(c.x), dx: image(c.x), y: image(c.y), dy: image(c.y), residual: image(c.y)}
	t.dw = c.d.New(backend.Dense, c.w.shape...).(*tensor)
	t.db = c.d.New(backend.Dense, s.OutC).(*tensor)
	return t
}

// pass is a call of the layer's present algorithm, with the operands that
// networks use most.
func (t *trial) pass(c *conv, dir direction) func() {
	n := t.x.shape[0]
	switch dir {
	case forwardPass:
		p := c.passes[usualForward]
		return func() { p.ready(); p.run(operands{n: n, src: t.x, act: t.y, residual: t.residual}) }
	case inputGradient:
		p := c.passes[usualInputGradient]
		return func() { p.ready(); p.run(operands{n: n, src: t.dy, raw: t.dx, sign: t.x}) }
	}
	p := c.paramGrad
	return func() { p.run(gradCall{n: n, x: t.x, dy: t.dy, dw: t.dw, db: t.db}) }
}
