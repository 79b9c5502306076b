//go:build cuda && linux && amd64

package cuda

import (
	"errors"

	"jem/backend"
	"jem/backend/philox"
	"jem/cuda/internal/driver"
)

// chain is the device's backend.Chain. The first run makes the calls one by one: plans are
// chosen and memory is reserved then. The second is captured as a CUDA graph, and from then on
// a run is two launches: one sets the key in the card's memory, the other replays the graph,
// which draws from there.
type chain struct {
	d         *Device
	steps     backend.PlainChain
	convs     map[*conv]storage // that its steps use, with the storage of their parameters
	runs      int
	graph     *driver.Graph
	moves     uint64 // Device.moves when it was captured
	key       *buffer
	base      philox.Key // of the run being captured
	capturing bool
	replay    func() error
}

const keyBytes = 24

// errMoved says that a step allocated in its second run, which the contract forbids.
var errMoved = errors.New("a step of the chain needed more working memory than in the chain's first run")

// NewChain implements backend.Chainer.
func (d *Device) NewChain(steps int, step func(k int, key philox.Key)) backend.Chain {
	c := &chain{d: d, convs: map[*conv]storage{}, steps: backend.PlainChain{Steps: steps, Step: step}}
	c.replay = func() error { return d.ctx.Replay(c.graph) }
	d.chains[c] = struct{}{}
	return c
}

// Run implements backend.Chain.
func (c *chain) Run(key philox.Key) {
	const op = "Chain.Run"
	d := c.d
	outer := d.chain
	d.chain = c
	defer func() { d.chain = outer }()
	c.runs++
	if c.runs == 1 || d.opt.NoGraph || d.err != nil {
		c.steps.Run(key)
		return
	}
	for conv, held := range c.convs { // in no order: each writes memory of its own
		conv.parameters(op, held)
	}
	if c.graph == nil || c.moves != d.moves {
		c.capture(op, key)
	}
	d.kernel(op, "key_set", single).ptr(c.key.p).word(key).over()
	d.run(op, c.replay)
}

// capture records the calls of a run.
func (c *chain) capture(op string, key philox.Key) {
	d := c.d
	c.discard(op)
	if c.key == nil {
		c.key = d.allocate(op, keyBytes, nil)
	}
	c.moves = d.moves
	d.run(op, d.ctx.BeginCapture)
	if d.err != nil {
		return
	}
	c.base, c.capturing = key, true
	c.steps.Run(key)
	c.capturing = false
	// A capture is ended whatever happened within, and what happened first is what is told.
	d.fail(op, d.ctx.Do(func() (err error) {
		c.graph, err = d.ctx.EndCapture()
		return err
	}))
	if d.moves != c.moves {
		d.fail(op, errMoved)
	}
}

// discard drops the captured graph.
func (c *chain) discard(op string) {
	if c.graph != nil {
		c.d.run(op, c.graph.Destroy)
		c.graph = nil
	}
}

// Close implements backend.Chain.
func (c *chain) Close() {
	const op = "Chain.Close"
	c.discard(op)
	if c.key != nil {
		c.d.release(op, c.key)
		c.key = nil
	}
	delete(c.d.chains, c)
}
