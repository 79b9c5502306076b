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
type extent struct{ images, steps int }

// NewChains moves the images x (N,C,H,W) with the step sizes of s; grad is working memory of
// x's shape, and both stay the caller's. target gives the density that the first n chains
// climb.
func NewChains(d backend.Device, s SGLD, x, grad backend.Tensor, target func(n int) Target) *Chains {
	return &Chains{d, s, x, grad, target, map[extent]backend.Chain{}}
}

// Images are the first n.
func (c *Chains) Images(n int) backend.Tensor { return c.first(c.x, n) }

// Move takes so many SGLD steps with the first n images, in place, step k drawing its noise
// from the key with Sub + k. It waits for nothing.
func (c *Chains) Move(n, steps int, key philox.Key) {
	if steps == 0 {
		return
	}
	plan, ok := c.plans[extent{n, steps}]
	if !ok {
		s := c.sgld
		s.Steps = steps
		plan = s.Chain(c.device, c.target(n), c.Images(n), c.first(c.grad, n))
		c.plans[extent{n, steps}] = plan
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

func (c *Chains) first(t backend.Tensor, n int) backend.Tensor {
	if n == t.Shape()[0] {
		return t
	}
	return c.device.Rows(t, 0, n)
}
