package cpu

import (
	"slices"

	"jem/backend"
)

// run makes the calls.
func (p *program) run(keys replay) {
	d := p.d
	outer := d.replay
	defer func() { d.replay = outer }()
	d.replay = keys
	if p.whole {
		d.one(p.calls)
		return
	}
	for _, by := range p.passes {
		by.ready()
	}
	for i := range p.values {
		if v := &p.values[i]; v.slot < 0 {
			v.t.settle()
		}
	}
	for _, r := range p.runners {
		r.d.replay = keys
	}
	defer p.rest()
	if p.wave == 0 {
		p.slices()
		return
	}
	d.arena.fit(d, p.sizes[1])
	d.arena.clean(p, true)
	for lo := 0; lo < p.images; lo += p.wave {
		p.now = span{lo, min(lo+p.wave, p.images)}
		if p.first > 0 {
			p.cuts = p.cut(p.now)
			p.slices()
		}
		p.runners[len(p.runners)-1].make(p.now, p.now.lo, span{p.first, len(p.calls)})
	}
}

// rest lets go of the arenas, which may have to grow for other programs.
func (p *program) rest() {
	for _, r := range p.runners {
		for i := range r.views {
			r.views[i].data, r.views[i].index = nil, nil
		}
	}
}

// slices makes the calls before the first sum, slice by slice.
func (p *program) slices() {
	for _, l := range p.d.lanes {
		l.arena.fit(p.d, p.sizes[0])
	}
	p.queue.next.Store(0)
	p.d.workers.run(p.d.workers.n, (*slicing)(p))
}

// slicing is the region of a program's slices. A part takes slices as long as there are any: so workers that
// come late, or not at all, leave theirs to the others.
type slicing program

// part implements region.
func (k *slicing) part(_, worker int) {
	p := (*program)(k)
	r := p.runners[worker]
	r.d.arena.clean(p, false)
	for {
		i := int(p.queue.next.Add(1)) - 1
		if i >= len(p.cuts) {
			return
		}
		r.make(p.cuts[i], p.now.lo, span{0, p.first})
	}
}

// runner makes a program's calls on slices of the tensors.
type runner struct {
	p     *program
	d     *Device
	views []tensor           // of the values
	args  [][]backend.Tensor // by call
}

func newRunner(p *program, d *Device) *runner {
	r := &runner{p: p, d: d, views: make([]tensor, len(p.values))}
	for i := range p.values {
		t := p.values[i].t
		r.views[i] = tensor{kind: t.kind, shape: slices.Clone(t.shape), geom: t.geom}
	}
	for _, ids := range p.ids {
		args := make([]backend.Tensor, len(ids))
		for j, id := range ids {
			switch {
			case id < 0:
			case p.values[id].shared:
				args[j] = p.values[id].t
			default:
				args[j] = &r.views[id]
			}
		}
		r.args = append(r.args, args)
	}
	return r
}

// make makes some calls for some images, of a wave that begins with image base.
func (r *runner) make(images span, base int, calls span) {
	r.d.replay.first = images.lo
	for i := range r.views {
		if v := &r.p.values[i]; !v.shared {
			r.aim(&r.views[i], v, images, base)
		}
	}
	for i := calls.lo; i < calls.hi; i++ {
		if c := &r.p.calls[i]; c.kind != settles || images.hi == r.p.images {
			c.run(r.d, r.args[i])
		}
	}
}

// aim lets a view show the images of a value.
func (r *runner) aim(view *tensor, v *value, images span, base int) {
	n := images.hi - images.lo
	view.shape[0] = n
	if v.slot < 0 {
		if view.kind == backend.Index {
			view.index = v.t.index[images.lo:images.hi:images.hi]
			return
		}
		lo, hi := images.lo*v.t.perRow(), images.hi*v.t.perRow()+v.t.geom.tail
		view.data = v.t.data[lo:hi:hi]
		return
	}
	s, in := &r.p.slots[v.slot], &r.d.arena
	lo := s.at
	if s.waves {
		in = &r.p.d.arena
		lo += (images.lo - base) * s.perImage
	}
	if hi := lo + n*s.perImage + s.geom.tail; hi <= len(in.data) {
		view.data = in.data[lo:hi:hi]
	} // else a value of slices, which the calls of a wave don't use
}
