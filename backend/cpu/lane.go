package cpu

import "jem/backend/cpu/asm"

// newLane is a device for one worker: it makes a program's calls on a slice of the images, alone and
// without regions, in the working memory of that worker.
func (d *Device) newLane(worker int) *Device {
	return &Device{
		isa: d.isa, kernels: d.kernels, definitions: d.definitions, low: d.low, scratch: d.scratch,
		workers: &workers{n: 1, self: worker}, lane: worker + 1,
	}
}

// openLanes makes the lanes that there are not yet.
func (d *Device) openLanes() {
	for len(d.lanes) < d.workers.n {
		d.lanes = append(d.lanes, d.newLane(len(d.lanes)))
	}
}

// on is the convolution as a lane uses it: with what is only one call's of its own, sharing
// weights, plans and each worker's memory.
func (c *conv) on(d *Device) *conv {
	if d.lane == 0 {
		return c
	}
	return c.lanes[d.lane-1]
}

// openLanes makes the copies for the device's lanes.
func (c *conv) openLanes() {
	for i := len(c.lanes); i < len(c.d.lanes); i++ {
		l := &conv{d: c.d.lanes[i], spec: c.spec, x: c.x, y: c.y}
		for dir, p := range c.passes {
			if p != nil {
				l.passes[dir] = p.lane(l)
			}
		}
		c.lanes = append(c.lanes, l)
	}
}

func (p *wino) lane(c *conv) pass {
	l := *p
	l.conv = c
	l.offs = append([]int(nil), p.offs...)
	return &l
}

func (s *sweep) lane(c *conv) pass {
	l := *s
	l.conv = c
	if s.fold != nil {
		f := *s.fold
		f.s, l.fold = &l, &f
	}
	return &l
}

// on is conv.on for a norm, whose statistics are those of the lane's last slice.
func (p *norm) on(d *Device) *norm {
	if d.lane == 0 {
		return p
	}
	return p.lanes[d.lane-1]
}

func (p *norm) openLanes() {
	for i := len(p.lanes); i < len(p.d.lanes); i++ {
		l := &norm{d: p.d.lanes[i], spec: p.spec, gamma: p.gamma, beta: p.beta, mean: p.mean, variance: p.variance, g: p.g, channels: p.channels}
		l.pass.lanes = make([]asm.NormPlane, p.d.workers.n)
		p.lanes = append(p.lanes, l)
	}
}
