package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"jem/backend"
	"jem/predict"
)

// What may be wrong with a Batcher; test with errors.Is.
var (
	// ErrFull: so many wait that one more would have to wait too long. Later it will do.
	ErrFull = errors.New("too many requests are waiting")
	// ErrTooLarge: one request of more images than may ever wait.
	ErrTooLarge = errors.New("too many images in one request")
	// ErrClosed: the Batcher takes nothing more.
	ErrClosed = errors.New("shutting down")
	// ErrBroken: the device or the network failed, and it stays so. The error says how.
	ErrBroken = errors.New("the device has failed")
)

// Model is a network with what its owner wants to find beside its answers.
type Model struct {
	*predict.Predictor
	About any // rules, names, versions: the owner's
}

// Options bound what waits. Zero values are usual ones.
type Options struct {
	Most  int           // images of a batch; 0, or more than the network is planned for: as many as that
	Wait  time.Duration // the longest that a request waits for others while the device has nothing to do, and only if more came last time; 0: it doesn't
	Queue int           // images that may wait; 0: eight batches
	Turns int           // calls of Do that may wait; 0: 64
	Watch func(Batch)   // told of each batch on the device's goroutine before its answers are handed out, so it must be quick; may be nil
}

// Batch is what became of one.
type Batch struct {
	Images, Requests int
	Backward         bool          // there was a backward pass
	Took             time.Duration // on the device
	Waited           time.Duration // of its oldest request, from Submit to the device
}

// Batcher owns a device and answers from many goroutines.
type Batcher struct {
	o              Options
	pixels, logits int // of an image
	features       int
	model          atomic.Pointer[Model]
	wake           chan struct{} // holds one if there may be news
	over           chan struct{} // closed when the device's goroutine is gone
	broke          chan struct{} // closed when the device has failed
	swapping       sync.Mutex

	mu      sync.Mutex
	waiting []*request
	images  int // that wait
	turns   []*turn
	swap    *turn
	closing bool
	broken  error
	count   Count

	device // the goroutine's own
}

// Start opens a device and a network by open, on the goroutine that has them from then on, and has the network
// answer once to see that it can. Close closes the device.
func Start(open func() (backend.Device, *Model, error), o Options) (*Batcher, error) {
	b := &Batcher{o: o, wake: make(chan struct{}, 1), over: make(chan struct{}), broke: make(chan struct{})}
	opened := make(chan error)
	go b.live(open, opened)
	if err := <-opened; err != nil {
		<-b.over
		return nil, err
	}
	return b, nil
}

// fill puts usual values in the place of zeros.
func (o *Options) fill(rows int) {
	if o.Most <= 0 || o.Most > rows {
		o.Most = rows
	}
	if o.Queue <= 0 {
		o.Queue = 8 * o.Most
	}
	if o.Turns <= 0 {
		o.Turns = 64
	}
}

// Model is the network that answers now.
func (b *Batcher) Model() *Model { return b.model.Load() }

// Most is how many images a batch has at most.
func (b *Batcher) Most() int { return b.o.Most }

// Err says why the Batcher answers nothing: ErrBroken, ErrClosed; nil while it does.
func (b *Batcher) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refusal()
}

// Broken is closed once the device has failed: Err says how.
func (b *Batcher) Broken() <-chan struct{} { return b.broke }

// refusal is Err under the lock.
func (b *Batcher) refusal() error {
	switch {
	case b.broken != nil:
		return b.broken
	case b.closing:
		return ErrClosed
	}
	return nil
}

// Count says what waits, and what has been done since Start.
type Count struct {
	WaitingImages, WaitingRequests, WaitingTurns int

	Batches, Images, Turns int64
	Busy                   time.Duration // of the device, with batches and turns
}

// Count counts.
func (b *Batcher) Count() Count {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.count
	c.WaitingImages, c.WaitingRequests, c.WaitingTurns = b.images, len(b.waiting), len(b.turns)
	return c
}

// Close takes nothing more, has everything answered that waits, closes the device and returns when its
// goroutine is gone. When ctx ends before, what still waits gets ErrClosed.
func (b *Batcher) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closing = true
	b.mu.Unlock()
	b.nudge()
	select {
	case <-b.over:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	b.drop(ErrClosed)
	b.mu.Unlock()
	b.nudge()
	<-b.over
	return ctx.Err()
}

// nudge tells the device's goroutine that there may be news.
func (b *Batcher) nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// drop gives everybody who waits an error. The lock is held.
func (b *Batcher) drop(err error) {
	for _, r := range b.waiting {
		r.end(err)
	}
	for _, t := range b.turns {
		t.end(err)
	}
	if b.swap != nil {
		b.swap.end(err)
	}
	clear(b.waiting)
	clear(b.turns)
	b.waiting, b.turns, b.swap, b.images = b.waiting[:0], b.turns[:0], nil, 0
}

// fail ends all: the device can't be relied on any more.
func (b *Batcher) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken == nil {
		b.broken = fmt.Errorf("%w: %w", ErrBroken, err)
		close(b.broke)
	}
	b.drop(b.broken)
}
