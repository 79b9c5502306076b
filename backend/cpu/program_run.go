package cpu

import (
	"slices"

	"jem/backend"
)

// run makes the calls.
func (p *program) run(keys replay) {
	if p.whole {
		outer := p.d.replay
		p.d.replay = keys
		p.d.one(p.calls)
		p.d.replay = outer
		return
	}
	for _, by := range p.passes {
		by.ready()
	}
	p.settle()
	for i := range p.runners {
		p.runners[i].d.replay = keys
	}
	if p.wave > 0 {
		p.waves()
	} else {
		p.slices()
	}
	p.d.replay = replay{}
}

// settle gives working memory that isn't in slots its place.
func (p *program) settle() {
	for i := range p.values {
		if v := &p.values[i]; v.slot < 0 {
			v.t.settle()
		}
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

// stretch makes a stretch's calls for some images, all of a slice (or wave) that begins with image
// base.
func (r *runner) stretch(s *stretch, images span, base int) {
	r.d.replay.first = images.lo
	for _, id := range s.values {
		if v := &r.p.values[id]; !v.shared {
			r.aim(&r.views[id], v, images, base)
		}
	}
	for i := s.calls.lo; i < s.calls.hi; i++ {
		r.p.calls[i].run(r.d, r.args[i])
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
	if s.waves {
		in, base = &r.p.d.arena, r.p.now.lo
	}
	lo := s.at
	if !s.local {
		lo += (images.lo - base) * s.perImage
	}
	hi := lo + n*s.perImage + s.geom.tail
	view.data = in.data[lo:hi:hi]
}

// slice makes the calls of stretches for the images of a slice.
func (r *runner) slice(stretches []stretch, s span) {
	for i := range stretches {
		for lo := s.lo; lo < s.hi; lo += stretches[i].fan {
			r.stretch(&stretches[i], span{lo, min(lo+stretches[i].fan, s.hi)}, s.lo)
		}
	}
}

// slices makes all calls, slice by slice.
func (p *program) slices() {
	for _, l := range p.d.lanes {
		l.arena.fit(p.d, p.sizes[0])
	}
	p.d.workers.run(len(p.parts), (*slicing)(p))
}

// slicing is the region of a program's slices, of the batch or of a wave.
type slicing program

// part implements region.
func (k *slicing) part(i, worker int) {
	p := (*program)(k)
	r := p.runners[worker]
	r.d.arena.clean(p, p.sizes[0])
	n := len(p.stretches)
	for p.wave > 0 && p.stretches[n-1].calls.lo >= p.first {
		n--
	}
	r.slice(p.stretches[:n], p.parts[i])
}

// waves makes all calls, wave by wave.
func (p *program) waves() {
	d := p.d
	d.arena.fit(d, p.sizes[1])
	d.arena.clean(p, p.sizes[1])
	all := p.runners[len(p.runners)-1]
	for lo := 0; lo < p.images; lo += p.wave {
		p.now = span{lo, min(lo+p.wave, p.images)}
		if p.first > 0 {
			p.parts = divide(p.now, p.slice, d.workers.n, p.unit)
			p.slices()
		}
		for i := range p.stretches {
			if s := &p.stretches[i]; s.calls.lo >= p.first {
				all.stretch(s, p.now, lo)
			}
		}
	}
}

// divide cuts images into slices.
func divide(all span, slice, workers, unit int) (parts []span) {
	n := all.hi - all.lo
	for lo := 0; lo < n; lo += slice {
		parts = append(parts, span{all.lo + lo, all.lo + min(lo+slice, n)})
	}
	return parts
}
