package cpu

import (
	"runtime/debug"
	"slices"
)

// slot is a place for values in an arena.
type slot struct {
	like
	at     int // where it begins, in floats
	images int // that it has room for
}

// floats is its size.
func (s *slot) floats() int { return s.images*s.perImage + s.geom.tail }

// like is what values that may follow one another in a slot have in common: their shape, as the zeros
// around images must stay where they are.
type like struct {
	geom     geometry
	perImage int  // floats
	waves    bool // in the arena of the waves, for a wave's images; else in a lane's, for a slice's
}

// place gives the values that begin within the program their slots.
func (p *program) place() {
	free := map[like][]int{} // slots in no use
	done := make([][]int, len(p.calls))
	for id, v := range p.values {
		if v.begin >= 0 {
			done[v.end] = append(done[v.end], id)
		}
	}
	for i := range p.calls {
		for _, id := range p.ids[i] {
			if id >= 0 && p.values[id].begin == i && p.values[id].slot < 0 {
				p.values[id].slot = p.take(free, &p.values[id])
			}
		}
		for _, id := range done[i] {
			s := p.values[id].slot
			free[p.slots[s].like] = append(free[p.slots[s].like], s)
		}
	}
	p.layOut()
}

// take finds a free slot for a value, or makes one.
func (p *program) take(free map[like][]int, v *value) int {
	l := like{geom: v.t.geom, perImage: v.t.perRow(), waves: p.wave > 0 && v.end >= p.first}
	if list := free[l]; len(list) > 0 {
		free[l] = list[:len(list)-1]
		return list[len(list)-1]
	}
	p.slots = append(p.slots, slot{like: l})
	return len(p.slots) - 1
}

// layOut puts the slots into the arenas.
func (p *program) layOut() {
	for i := range p.slots {
		s := &p.slots[i]
		size := &p.sizes[0]
		s.images = p.slice
		if s.waves {
			size = &p.sizes[1]
			s.images = p.wave
		}
		s.at = *size
		// Odd numbers of lines keep slots of powers of two apart in the caches.
		*size += oddLines(s.floats())
	}
}

// arena is memory for values. The zeros around images are those of a layout.
type arena struct {
	data   []float32
	layout []slot
}

// fit makes room for so many floats; d is the device whose memory it is.
func (a *arena) fit(d *Device, size int) {
	if size > len(a.data) {
		old := len(a.data)
		d.meter.add(-4 * old)
		a.data, a.layout = nil, nil
		if old > hoardMost {
			debug.FreeOSMemory() // the old piece is seldom large enough to be part of the new one
		}
		a.data = d.alloc(size)
	}
}

// clean puts the zeros around images where a program has them, in an arena of its waves or of its slices.
func (a *arena) clean(p *program, waves bool) {
	if slices.Equal(a.layout, p.slots) {
		return
	}
	a.layout = p.slots
	for i := range p.slots {
		if s := &p.slots[i]; s.waves == waves {
			s.geom.clean(a.data[s.at:][:s.floats()])
		}
	}
}

// clean sets to zero what always is in images of this layout, whatever they show.
func (g *geometry) clean(images []float32) {
	switch {
	case !g.blocked:
		return // all of it is pixels
	case g.c%block != 0:
		clear(images)
		return
	}
	for len(images) > g.tail {
		clear(images[:g.row])
		for h := range g.h {
			clear(images[g.row+h*g.row:][:block])
		}
		images = images[g.plane:]
	}
	clear(images)
}
