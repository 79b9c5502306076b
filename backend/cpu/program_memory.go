package cpu

import "slices"

// slot is a place for values in an arena.
type slot struct {
	like
	images int // that there is room for
	at     int // where it begins in its arena, in floats
}

// like is what values that may follow one another in a slot have in common. Of one shape, as the zeros
// around images must stay where they are.
type like struct {
	geom     geometry
	perImage int  // floats
	waves    bool // in the arena of the waves, else in a lane's
	local    bool // for the images that a stretch takes at a time, else for those of a slice
}

// place gives the values that the program makes and uses up their slots.
func (p *program) place() {
	p.spread()
	free := map[like][]int{} // slots in no use
	done := make([][]int, len(p.calls))
	for id, v := range p.values {
		if v.begin >= 0 {
			done[v.end] = append(done[v.end], id)
		}
	}
	at := 0
	for i := range p.calls {
		for i >= p.stretches[at].calls.hi {
			at++
		}
		for _, id := range p.ids[i] {
			if id >= 0 && p.values[id].begin == i && p.values[id].slot < 0 {
				p.take(free, &p.values[id], p.stretches[at].fan)
			}
		}
		for _, id := range done[i] {
			s := p.values[id].slot
			free[p.slots[s].like] = append(free[p.slots[s].like], s)
		}
	}
	for i := range p.slots {
		s := &p.slots[i]
		which := 0
		if s.waves {
			which = 1
		}
		s.at = p.sizes[which]
		// Odd numbers of lines keep slots of powers of two apart in the caches.
		p.sizes[which] += oddLines(s.images*s.perImage + s.geom.tail)
	}
}

// spread says which stretch values are in, and which values stretches use.
func (p *program) spread() {
	for i := range p.values {
		p.values[i].stretch = -2
	}
	for i := range p.stretches {
		s := &p.stretches[i]
		seen := map[int]bool{}
		for _, ids := range p.ids[s.calls.lo:s.calls.hi] {
			for _, id := range ids {
				if id < 0 || seen[id] {
					continue
				}
				seen[id] = true
				s.values = append(s.values, id)
				if v := &p.values[id]; v.stretch == -2 {
					v.stretch = i
				} else {
					v.stretch = -1
				}
			}
		}
	}
}

// take finds a free slot for a value, or a new one.
func (p *program) take(free map[like][]int, v *value, fan int) {
	l := like{geom: v.t.geom, perImage: v.t.perRow(), local: v.stretch >= 0}
	images := p.slice
	if l.local {
		images = fan
	}
	if p.wave > 0 && (!l.local || p.stretches[v.stretch].calls.lo >= p.first) {
		l.waves, l.local, images = true, false, p.wave
	}
	if list := free[l]; len(list) > 0 {
		v.slot = list[len(list)-1]
		free[l] = list[:len(list)-1]
	} else {
		v.slot = len(p.slots)
		p.slots = append(p.slots, slot{like: l})
	}
	s := &p.slots[v.slot]
	s.images = max(s.images, images)
}

// arena is memory for working tensors. The zeros around images are those of a layout.
type arena struct {
	data   []float32
	layout []slot
}

// fit makes room for a program; d is the device whose memory it is.
func (a *arena) fit(d *Device, size int) {
	if size > len(a.data) {
		d.meter.add(-4 * len(a.data))
		a.data, a.layout = nil, nil
		a.data = d.alloc(size)
	}
}

// clean puts the zeros around images where a program has them.
func (a *arena) clean(p *program, size int) {
	if !slices.Equal(a.layout, p.slots) {
		clear(a.data[:size])
		a.layout = p.slots
	}
}
