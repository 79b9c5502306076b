package cpu

import "jem/backend"

// program is what is known of the calls of a pass or a chain as a whole.
//
// Where no call couples the images, the batch is taken slice by slice: a worker carries a few
// images through all calls, those of all steps of a chain, without waiting for the others and
// with the activations in memory of its own, which they don't leave.
//
// Calls that sum over images (parameter gradients) take all workers, and so do networks whose weights
// don't fit a cache. Then the batch goes in waves, whose activations are kept from the forward pass to the
// gradients: what comes before the first sum is made in slices of the wave where that serves, the rest
// call by call for the whole wave.
//
// Every image's results are those of the calls made one by one, bit for bit. The sums' order follows
// from the waves, which follow from the shapes alone.
type program struct {
	d     *Device
	calls []call
	traits
	values []value
	mixed  bool      // a tensor is shared in one call and a batch or written in another
	ids    [][]int   // by call: its operands among the values, −1 for none
	passes []weighed // whose weights must be ready
	slots  []slot

	first int    // call that is made for whole waves
	slice int    // images of a slice, at most
	wave  int    // images of a wave; 0: there are none
	sizes [2]int // of a lane's arena and that of the waves, in floats
	cuts  []span // slices, of the batch or of the wave at hand
	now   span   // the wave at hand
	queue cursor // of slices

	runners []*runner // by lane, then this device
}

// traits are what matters about calls as a whole.
type traits struct {
	images  int  // of the batch
	whole   bool // tensors aren't of one batch, or overlap: the calls are made one by one
	coupled bool // a call couples the images
	normed  bool // there is a norm
	weights int  // bytes of the layers' parameters
	unit    int  // images that slices are multiples of
}

// compile plans recorded calls.
func (d *Device) compile(calls []call) *program {
	p := &program{d: d, calls: calls}
	p.identify()
	if p.traits = p.judge(); p.whole {
		return p
	}
	p.divide()
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

// judge finds the traits.
func (p *program) judge() (t traits) {
	t.unit = 1
	t.images, t.whole = p.batch()
	layers := map[*conv]bool{}
	for i := range p.calls {
		c := &p.calls[i]
		t.coupled = t.coupled || c.kind == couples
		t.normed = t.normed || c.norm != nil
		if c.drawn != nil {
			t.unit = max(t.unit, evenElements(c.drawn.perImage()))
		}
		if c.conv != nil && !layers[c.conv] {
			layers[c.conv] = true
			t.weights += 4 * backend.Len(c.conv.w)
		}
		t.weights += c.weights
	}
	return t
}

// batch is the number of images of all tensors, and whether they don't go together.
func (p *program) batch() (images int, whole bool) {
	var all []*value
	seen := map[identity]bool{}
	for i := range p.values {
		v := &p.values[i]
		if seen[v.t.identity()] {
			continue
		}
		seen[v.t.identity()] = true
		if n := v.t.shape[0]; !v.shared {
			if images != 0 && n != images {
				return 0, true
			}
			images = n
		}
		for _, u := range all {
			onlyRead := v.shared && u.shared && !v.total && !u.total
			if !onlyRead && v.t.overlaps(u.t) {
				return 0, true
			}
		}
		all = append(all, v)
	}
	return images, p.mixed || images == 0
}

// evenElements is how many images of so many elements fill whole groups of 64: kernels of random streams
// treat the end of a run, and one that doesn't begin with a block of numbers, in another way.
func evenElements(elements int) int {
	n := 1
	for n*elements%64 != 0 {
		n *= 2
	}
	return n
}

// value is what a tensor holds from a call that assigns it to the last one that uses it.
type value struct {
	t          *tensor
	shared     bool
	total      bool // shared and written
	begin, end int  // calls; begin −1: the value is there before
	slot       int  // where it lies, of one that begins within the program; −1: in the tensor's own memory
}

// identity tells tensors apart by their memory and shape.
type identity struct {
	memory any
	first  int
	shape  [4]int
}

func (t *tensor) identity() identity {
	id := identity{first: t.first}
	copy(id.shape[:], t.shape)
	switch {
	case t.working():
		id.memory = t.store
	case t.kind == backend.Index:
		id.memory = &t.index[0]
	default:
		id.memory = &t.data[0]
	}
	return id
}

// identify numbers the values and the passes.
func (p *program) identify() {
	numbers, known := map[identity]int{}, map[weighed]bool{}
	for i := range p.calls {
		c := &p.calls[i]
		ids := make([]int, len(c.operands))
		for j, o := range c.operands {
			if ids[j] = -1; o.t == nil {
				continue
			}
			n, ok := numbers[o.t.identity()]
			if begins := c.assigns(o); begins || !ok {
				n = len(p.values)
				numbers[o.t.identity()] = n
				p.values = append(p.values, value{t: o.t, shared: o.shared, total: o.shared && o.writes, slot: -1, begin: -1})
				if begins {
					p.values[n].begin = i
				}
			}
			v := &p.values[n]
			v.end = i
			p.mixed = p.mixed || o.shared != v.shared || o.shared && o.writes != v.total
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
	if !o.t.working() || o.shared || !o.writes {
		return false
	}
	for _, other := range c.operands {
		if other.t != nil && other.reads && other.t.overlaps(o.t) {
			return false
		}
	}
	return true
}
