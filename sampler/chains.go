package sampler

import (
	"jem/backend"
	"jem/backend/philox"
)

// Chains are images on a device that SGLD moves together. Each number of images and of steps
// is planned once (SGLD.Chain), when it is first asked for.
type Chains struct {
	device  backend.Device
	sgld    SGLD // whose Steps are the move's
	x, grad backend.Tensor
	target  func(n int) Target
	plans   map[extent]backend.Chain
}

// extent is what a plan is for.
type extent struct{ images, first, steps int }

// NewChains moves the images x (N,C,H,W) with the step sizes of s; grad is working memory of
// x's shape, and both stay the caller's. target gives the density that the first n chains
// climb.
func NewChains(d backend.Device, s SGLD, x, grad backend.Tensor, target func(n int) Target) *Chains {
	return &Chains{d, s, x, grad, target, map[extent]backend.Chain{}}
}

// Images are the first n.
func (c *Chains) Images(n int) backend.Tensor { return c.rows(c.x, n) }

// Move takes so many SGLD steps with n images, the first of all, in place: steps first, first+1, …,
// step k with the constants of SGLD.At(k) and noise from the key with Sub + k. So a chain that is
// moved in pieces ends where it does in one. It waits for nothing.
func (c *Chains) Move(n, first, steps int, key philox.Key) {
	if steps == 0 {
		return
	}
	key.Sub += uint32(first)
	at := extent{n, first, steps}
	if c.sgld.constant() {
		at.first = 0 // one plan for all
	}
	plan, ok := c.plans[at]
	if !ok {
		s := c.sgld
		s.Steps = steps
		plan = s.chain(c.device, c.target(n), c.Images(n), c.rows(c.grad, n), at.first)
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
