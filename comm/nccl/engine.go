//go:build cuda && linux && amd64

package nccl

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"jem/comm"
)

// engine is the comm.Comm. Its goroutine, own, makes all calls of NCCL on one thread; other goroutines hand it work.
type engine struct {
	rank, size int
	host       string
	patience   time.Duration
	notes      func(string)

	work   chan func() // in order
	urgent chan func() // at once, between two looks at an operation under way
	beats  atomic.Int64
	steps  atomic.Int64 // of this rank, as At was told

	// The owning goroutine's alone, but for the driver's calls of SumOn.
	lib   *library
	card  *card
	comm  uintptr // ncclComm_t, 0 before and after
	state int32   // asynchronous result, where the library puts it
	gone  error   // why no more is done
}

// Rank implements comm.Comm.
func (e *engine) Rank() int { return e.rank }

// Size implements comm.Comm.
func (e *engine) Size() int { return e.size }

// Name implements comm.Comm.
func (e *engine) Name() string { return "NCCL " + e.lib.words() }

// At implements comm.Comm.
func (e *engine) At(step int) { e.steps.Store(int64(step)) }

// own is the life of the goroutine that owns the communicator. It ends with the process.
func (e *engine) own() {
	runtime.LockOSThread()
	for {
		select {
		case f := <-e.urgent:
			f()
		case f := <-e.work:
			f()
		}
	}
}

// operation is what all ranks do together, piece by piece.
type operation struct {
	name string
	// begin puts a piece's work on the stream, one call of NCCL the last of it, and says whether there was a piece.
	begin func(piece int) (bool, error)
	after func(piece int) error // puts more behind it; nil: nothing
	end   func(piece int)       // is called when the stream is past all that; nil: for nothing
	over  chan struct{}
	err   error // once over
}

// start has an operation done after those begun before.
func (e *engine) start(o *operation) *pending {
	o.over = make(chan struct{})
	e.work <- func() {
		o.err = e.perform(o)
		o.begin, o.after, o.end = nil, nil, nil // lets go of the buffers
		first := e.gone == nil
		if o.err != nil && first {
			e.gone = o.err
		}
		close(o.over)
		if o.err != nil && first {
			e.abandon() // ends what is still on the card, which others would wait for
		}
	}
	return &pending{e, o}
}

func (e *engine) perform(o *operation) error {
	if e.gone != nil {
		return e.gone
	}
	for piece := 0; ; piece++ {
		e.beats.Add(1)
		more, err := o.begin(piece)
		if err != nil {
			return e.fault(o.name, 0, err)
		}
		if !more {
			return nil
		}
		waited, err := e.await(e.settled)
		if err == nil && o.after != nil {
			err = o.after(piece)
		}
		if err == nil {
			err = e.card.mark()
		}
		if err == nil {
			waited, err = e.await(e.card.past)
		}
		if err != nil {
			return e.fault(o.name, waited, err)
		}
		if o.end != nil {
			o.end(piece)
		}
	}
}

// errPatience says that a call took too long.
var errPatience = errors.New("out of patience")

// settled reports whether the library is through with the last call.
func (e *engine) settled() (bool, error) { return e.state == resultDone, nil }

// await looks at what is under way, with growing pauses, until it is over or the communicator has failed. Time in which
// this process itself was stopped doesn't count.
func (e *engine) await(over func() (bool, error)) (waited time.Duration, err error) {
	const gap = time.Second
	last := time.Now()
	for polls := 0; ; polls++ {
		e.beats.Add(1)
		if err := e.lib.call(e.comm, "ncclCommGetAsyncError", e.comm, pointer(&e.state)); err != nil {
			return waited, err
		}
		if err := e.lib.result(e.comm, "in the background", e.state); err != nil {
			return waited, err
		}
		if done, err := over(); done || err != nil {
			return waited, err
		}
		now := time.Now()
		waited += min(now.Sub(last), gap)
		last = now
		if waited > e.patience {
			return waited, errPatience
		}
		select {
		case f := <-e.urgent:
			f()
			if e.comm == 0 {
				return waited, errors.New("aborted")
			}
		default:
			rest(polls)
		}
	}
}

// rest is the pause after so many polls: none while an answer may be near, then up to half a millisecond, at which
// a core is as good as free.
func rest(polls int) {
	const none, first, most = 20, 20 * time.Microsecond, 500 * time.Microsecond
	if polls < none {
		runtime.Gosched()
		return
	}
	time.Sleep(min(first*time.Duration(1+(polls-none)/4), most))
}

// pending is an operation that a caller waits for.
type pending struct {
	engine *engine
	of     *operation
}

// Wait implements comm.Pending. It doesn't hang where the library does: in a call that ought to return at once.
func (p *pending) Wait() error {
	const look = time.Second
	for beats, same := int64(-1), time.Duration(0); ; {
		select {
		case <-p.of.over:
			return p.of.err
		case <-time.After(look):
		}
		if now := p.engine.beats.Load(); now != beats {
			beats, same = now, 0
			continue
		}
		if same += look; same > p.engine.patience {
			return p.engine.fault(p.of.name, same, errors.New("a call of NCCL or of the driver does not return"))
		}
	}
}

// fault is the error of this rank. Who is missing, NCCL doesn't know.
func (e *engine) fault(op string, waited time.Duration, err error) *comm.PeerError {
	if errors.Is(err, errPatience) {
		err = nil
	}
	return &comm.PeerError{Rank: e.rank, Step: int(e.steps.Load()), Host: e.host, Op: op, Waited: waited, Err: err}
}
