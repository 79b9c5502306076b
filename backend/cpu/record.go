package cpu

import (
	"jem/backend"
	"jem/backend/philox"
)

// recording collects the calls of a pass or a chain, to be made later.
type recording struct {
	calls    []call
	products map[matrixOf]*matrix // of linear layers, in those calls
	// over says that a call came which can't be put off. Those before it have been made,
	// the rest are made as they come.
	over bool
}

// call is a verb that waits to be made.
type call struct {
	kind     callKind
	operands []operand
	// run makes the call on a device: on this one, or on a lane with a slice of each operand, in
	// their order; nil where there was none.
	run     func(d *Device, t []backend.Tensor)
	conv    *conv   // of a convolution's verb
	by      weighed // the algorithm, whose weights must be ready
	norm    *norm   // of a norm's verb
	weights int     // bytes of parameters, of a call on paper
	drawn   *tensor // whose elements take numbers of a stream
}

// weighed is what has weights in an order of its own.
type weighed interface {
	// ready brings them into it, if they may have changed.
	ready()
}

// callKind says how far the images of a call depend on each other.
type callKind uint8

const (
	apart   callKind = iota // not at all
	sums                    // results are added up over the images
	couples                 // each result depends on all images
	settles                 // it is for the host to see what has been added up, after the last image
)

// operand is a tensor that a call uses; its first dimension is the batch unless it is shared.
type operand struct {
	t                     *tensor
	reads, writes, shared bool
}

func in(t backend.Tensor) operand     { return operand{t: optional(t), reads: true} }
func out(t backend.Tensor) operand    { return operand{t: optional(t), writes: true} }
func inout(t backend.Tensor) operand  { return operand{t: optional(t), reads: true, writes: true} }
func shared(t backend.Tensor) operand { return operand{t: optional(t), reads: true, shared: true} }
func total(t backend.Tensor) operand {
	return operand{t: optional(t), reads: true, writes: true, shared: true}
}

// add records a call of a verb.
func (r *recording) add(kind callKind, run func(d *Device, t []backend.Tensor), operands ...operand) *call {
	r.calls = append(r.calls, call{kind: kind, run: run, operands: operands})
	return &r.calls[len(r.calls)-1]
}

// pass says which pass of a convolution a call is.
func (c *call) pass(of *conv, id passID) { c.conv, c.by = of, of.passes[id] }

// record has f's calls recorded. Where one of them can't be put off it returns nil, and all
// of them have been made.
func (d *Device) record(f func()) []call {
	r := &recording{}
	d.recording = r
	defer func() { d.recording = nil }()
	f()
	if r.over {
		return nil
	}
	return r.calls
}

// now begins a verb that is never put off: what has been recorded goes first.
func (d *Device) now() {
	r := d.recording
	if r == nil {
		return
	}
	d.recording = nil // for good: what follows is made at once, too
	r.over = true
	d.one(r.calls)
}

// one makes calls one by one.
func (d *Device) one(calls []call) {
	ts := d.operands
	for i := range calls {
		c := &calls[i]
		ts = ts[:0]
		for _, o := range c.operands {
			ts = append(ts, o.tensor())
		}
		if c.by != nil {
			c.by.ready()
		}
		c.run(d, ts)
	}
	clear(ts[:cap(ts)])
	d.operands = ts
}

// tensor is the operand as verbs take it.
func (o operand) tensor() backend.Tensor {
	if o.t == nil {
		return nil
	}
	return o.t
}

// touches reports whether a recorded call uses memory of t.
func (r *recording) touches(t *tensor) bool {
	for i := range r.calls {
		for _, o := range r.calls[i].operands {
			if o.t != nil && o.t.overlaps(t) {
				return true
			}
		}
	}
	return false
}

// Pass implements backend.Passer.
func (d *Device) Pass(f func()) {
	if d.recording != nil {
		f()
		return
	}
	if calls := d.record(f); len(calls) > 0 {
		d.compile(calls).run(replay{})
	}
}

// Settled implements backend.Settler.
func (d *Device) Settled(f func()) {
	if d.recording == nil {
		f()
		return
	}
	d.recording.add(settles, func(*Device, []backend.Tensor) { f() })
}

// chain is the device's backend.Chain: its steps are recorded in the first run.
type chain struct {
	d       *Device
	steps   backend.PlainChain
	program *program
	key     philox.Key // that the program was recorded with
	plain   bool       // a step can't be put off
}

// NewChain implements backend.Chainer.
func (d *Device) NewChain(steps int, step func(k int, key philox.Key)) backend.Chain {
	return &chain{d: d, steps: backend.PlainChain{Steps: steps, Step: step}}
}

// Run implements backend.Chain.
func (c *chain) Run(key philox.Key) {
	d := c.d
	outer := d.chaining
	d.chaining = true
	defer func() { d.chaining = outer }()
	if c.plain || d.recording != nil {
		c.steps.Run(key)
		return
	}
	if c.program == nil {
		calls := d.record(func() { c.steps.Run(key) })
		if c.plain = calls == nil; c.plain {
			return
		}
		c.program, c.key = d.compile(calls), key
	}
	c.program.run(replay{again: true, recorded: c.key, current: key})
}

// Close implements backend.Chain.
func (c *chain) Close() { c.program = nil }

// replay says which keys the calls of a program take in the place of those that they were recorded
// with, and where in the batch the slice at hand begins.
type replay struct {
	again             bool
	recorded, current philox.Key
	first             int // image
}

// key is what takes the place of a recorded one.
func (r *replay) key(k philox.Key) philox.Key {
	if !r.again {
		return k
	}
	sub, first := k.Sub-r.recorded.Sub, k.First-r.recorded.First
	k = r.current
	k.Sub += sub
	k.First += first
	return k
}
