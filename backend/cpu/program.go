package cpu

import (
	"os"
	"strconv"
	"strings"

	"jem/backend"
)

// program is what is known of the calls of a pass or a chain as a whole.
//
// Where no call couples the images, the batch is taken slice by slice: a worker carries a few
// images through all calls, those of all steps of a chain, without waiting for the others and
// with the activations in memory of its own, small enough for its caches. Within a slice calls
// come in stretches: one on large feature maps takes fewer images at a time, one with small maps and
// large weights more, so that the weights are read once for them.
//
// Calls that sum over images (parameter gradients) need all workers: then the batch goes in waves, whose
// activations are kept from the forward pass to the gradients; slices are of a wave and end
// where the first sum begins, the rest of the calls is made for the whole wave, one by one.
//
// Every image's results are those of the calls made one by one, bit for bit. The sums' order follows
// from the waves, which follow from the shapes alone.
type program struct {
	d         *Device
	calls     []call
	values    []value
	ids       [][]int // by call: its operands among the values, −1 for none
	passes    []pass  // whose weights must be ready
	slots     []slot
	stretches []stretch

	images int  // of the batch
	unit   int  // images that slices are multiples of
	first  int  // call that is made for whole waves
	whole  bool // the calls are made one by one for the batch

	slice int    // images of a slice
	wave  int    // images of a wave; 0: there are none
	sizes [2]int // of a lane's arena and that of the waves, in floats
	parts []span // slices, of the batch or of the wave at hand
	now   span   // the wave at hand

	runners []*runner // by lane, then this device
}

// value is what a tensor holds from a call that assigns it to the last one that uses it.
type value struct {
	t          *tensor
	shared     bool
	slot       int // of working memory that a call of the program assigns; −1: it lies in the tensor's own
	begin, end int // calls
	stretch    int // that all of its calls are in; −1: several
}

// stretch is some calls that take so many images at a time.
type stretch struct {
	calls  span
	fan    int
	values []int // that they use
}

// compile plans recorded calls.
func (d *Device) compile(calls []call) *program {
	p := &program{d: d, calls: calls, first: len(calls)}
	p.identify()
	if p.whole = !p.separable(); p.whole {
		return p
	}
	for i, c := range calls {
		if c.kind == sums {
			p.first = i
			break
		}
	}
	if p.first < len(calls) && p.normed() {
		p.first = 0 // a norm's gradients need the statistics of the same wave
	}
	p.cut()
	p.place()
	d.openLanes()
	for i := range calls {
		if c := calls[i].conv; c != nil {
			c.openLanes()
		}
		if n := calls[i].norm; n != nil {
			n.openLanes()
		}
	}
	for _, l := range append(d.lanes[:len(d.lanes):len(d.lanes)], d) {
		p.runners = append(p.runners, newRunner(p, l))
	}
	return p
}

var envU = os.Getenv("JEM_U")

// cut chooses the sizes of slices and waves, and the stretches.
func (p *program) cut() {
	p.slice = env("JEM_SLICE", 16)
	if p.first < len(p.calls) {
		p.wave = min(p.images, env("JEM_WAVE", 32))
		p.slice = env("JEM_WSLICE", 8)
		p.slice = min(p.slice, p.wave)
	} else {
		p.slice = min(p.slice, p.images)
		p.parts = divide(span{0, p.images}, p.slice, p.d.workers.n, p.unit)
	}
	fans := map[int]int{}
	for i, s := range strings.Split(envU, ":") {
		n, _ := strconv.Atoi(s)
		fans[32>>i] = n
	}
	for i := range p.calls {
		side := 1 << 30
		for _, o := range p.calls[i].operands {
			if o.t != nil && o.t.geom.h > 0 {
				side = min(side, o.t.geom.h)
			}
		}
		fan := p.slice
		if f := fans[side]; f > 0 {
			fan = min(f, fan)
		}
		if i >= p.first {
			fan = p.wave
		}
		if n := len(p.stretches); n > 0 && p.stretches[n-1].fan == fan && i != p.first {
			p.stretches[n-1].calls.hi = i + 1
			continue
		}
		p.stretches = append(p.stretches, stretch{calls: span{i, i + 1}, fan: fan})
	}
}

func env(name string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return usual
}

// identify numbers the values and the passes.
func (p *program) identify() {
	numbers, known := map[identity]int{}, map[pass]bool{}
	for i := range p.calls {
		c := &p.calls[i]
		ids := make([]int, len(c.operands))
		for j, o := range c.operands {
			ids[j] = -1
			if o.t == nil {
				continue
			}
			n, ok := numbers[o.t.identity()]
			if !ok || c.assigns(o) {
				n = len(p.values)
				numbers[o.t.identity()] = n
				p.values = append(p.values, value{t: o.t, shared: o.shared, slot: -1, begin: -1})
				if c.assigns(o) {
					p.values[n].begin = i
				}
			}
			p.values[n].shared = p.values[n].shared || o.shared
			p.values[n].end = i
			ids[j] = n
		}
		p.ids = append(p.ids, ids)
		if c.by != nil && !known[c.by] {
			known[c.by] = true
			p.passes = append(p.passes, c.by)
		}
	}
}

// assigns reports whether a call gives working memory another value, whatever it held.
func (c *call) assigns(o operand) bool {
	if o.t.store == nil || o.shared {
		return false
	}
	writes := false
	for _, other := range c.operands {
		if other.t != nil && other.t.overlaps(o.t) {
			if other.reads {
				return false
			}
			writes = writes || other.writes
		}
	}
	return writes
}

// separable reports whether the images can be taken slice by slice.
func (p *program) separable() bool {
	p.unit = 1
	var all []*tensor
	seen := map[identity]bool{}
	for i := range p.values {
		v := &p.values[i]
		if v.shared || seen[v.t.identity()] {
			continue
		}
		seen[v.t.identity()] = true
		if p.images == 0 {
			p.images = v.t.shape[0]
		}
		if v.t.shape[0] != p.images {
			return false
		}
		for _, t := range all {
			if v.t.overlaps(t) {
				return false
			}
		}
		all = append(all, v.t)
	}
	for i := range p.calls {
		c := &p.calls[i]
		if c.kind == couples {
			return false
		}
		if c.drawn != nil {
			p.unit = max(p.unit, evenElements(c.drawn.perImage()))
		}
	}
	return p.images > 1 && p.unit <= p.images
}

// perImage is the number of elements of an image (a row).
func (t *tensor) perImage() int { return backend.Len(t) / t.shape[0] }

// evenElements is how many images of so many elements fill whole groups of 64: kernels of random streams
// treat the end of a run, and a run that doesn't begin with a block of numbers, in another way.
func evenElements(elements int) int {
	n := 1
	for n*elements%64 != 0 {
		n *= 2
	}
	return n
}

func (p *program) normed() bool {
	for i := range p.calls {
		if p.calls[i].norm != nil {
			return true
		}
	}
	return false
}

// identity tells tensors apart by their memory and shape.
type identity struct {
	memory any
	first  int
	rows   int
}

func (t *tensor) identity() identity {
	switch {
	case t.store != nil:
		return identity{t.store, t.first, t.shape[0]}
	case t.kind == backend.Index:
		return identity{&t.index[0], 0, t.shape[0]}
	}
	return identity{&t.data[0], 0, len(t.data)}
}
