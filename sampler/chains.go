package sampler

import (
	"jem/backend"
	"jem/backend/philox"
)

// Chains are images on a device that move together. Each number of images and of steps
// is planned once, when it is first asked for.
type Chains struct {
	device  backend.Device
	move    Move
	x, grad backend.Tensor
	target  func(n int) Target
	plans   map[extent]backend.Chain
}

// extent is what a plan is for.
type extent struct{ images, first, steps int }

// NewChains moves the images x (N,C,H,W); grad is working memory of x's shape, and both stay
// the caller's. target gives what the first n of them climb.
func NewChains(d backend.Device, m Move, x, grad backend.Tensor, target func(n int) Target) *Chains {
	return &Chains{d, m, x, grad, target, map[extent]backend.Chain{}}
}

// Use makes the images move otherwise from now on.
func (c *Chains) Use(m Move) {
	if m != c.move {
		c.Close()
		c.move = m
	}
}

// Images are the first n.
func (c *Chains) Images(n int) backend.Tensor { return c.rows(c.x, n) }

// Move takes so many steps with n images, the first of all, in place: steps first, first+1, …,
// step k with noise from the key with Sub + k. So a chain that is
// moved in pieces ends where it does in one. It waits for nothing.
func (c *Chains) Move(n, first, steps int, key philox.Key) {
	if steps == 0 {
		return
	}
	key.Sub += uint32(first)
	at := extent{n, first, steps}
	if c.move.Constant() {
		at.first = 0 // one plan for all
	}
	plan, ok := c.plans[at]
	if !ok {
		plan = chain(c.device, c.move, c.target(n), c.Images(n), c.rows(c.grad, n), at.first, steps)
		c.plans[at] = plan
	}
	plan.Run(key)
}

// Close gives the plans back.
func (c *Chains) Close() {
	for _, p := range c.plans {
		p.Close()
	}
	clear(c.plans)
}

func (c *Chains) rows(t backend.Tensor, n int) backend.Tensor {
	if n == t.Shape()[0] {
		return t
	}
	return c.device.Rows(t, 0, n)
}
