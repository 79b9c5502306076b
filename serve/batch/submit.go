package batch

import (
	"context"
	"fmt"
	"time"

	"jem/predict"
)

// Answer is what the network says of an image.
type Answer struct {
	Logits   []float32 // (K)
	LogPx    float32   // log p(x) + log Z
	Mass     float32   // approximate mass, see predict.Scores; 0 unless asked for
	Gradient []float32 // (C,H,W) of log p(x), x in [−1,1]; nil unless asked for
	Features []float32 // nil unless asked for
	Model    *Model    // whose answer it is: the same for all images of a request
}

// NumberError says that an image has no score: its pixels are none of [−1,1], or the network is broken.
type NumberError struct{ Image int } // its number in the request, from 0

// Error is a sentence.
func (e *NumberError) Error() string {
	return fmt.Sprintf("image %d has no score: what the network says of it is no finite number", e.Image+1)
}

// request is what Submit waits for.
type request struct {
	images  []float32
	n       int
	asked   predict.Asked
	since   time.Time
	taken   int // images that are, or were, in a batch
	done    int // images that are answered
	answers []Answer
	model   *Model
	gone    bool // nobody waits for it any more
	ended   chan error
}

// end tells who waits. The lock is held; a request ends once.
func (r *request) end(err error) {
	if !r.gone {
		r.gone = true
		r.ended <- err
	}
}

// Submit answers images (n,C,H,W) in [−1,1], in batches with those of others, and returns when all are
// answered or ctx ends. images must not change meanwhile. Errors: that of ctx, ErrFull, ErrTooLarge, ErrClosed, ErrBroken,
// a *NumberError.
func (b *Batcher) Submit(ctx context.Context, images []float32, asked predict.Asked) ([]Answer, error) {
	n := len(images) / b.pixels
	if n*b.pixels != len(images) || n == 0 {
		panic(fmt.Sprintf("batch: Submit of %d numbers: want a multiple of %d", len(images), b.pixels))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &request{images: images, n: n, asked: asked, ended: make(chan error, 1)}
	if err := b.enqueue(r); err != nil {
		return nil, err
	}
	select {
	case err := <-r.ended:
		return r.result(err)
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.gone { // it ended at the same time
		return r.result(<-r.ended)
	}
	r.gone = true
	b.forget(r)
	return nil, ctx.Err()
}

func (r *request) result(err error) ([]Answer, error) {
	if err != nil {
		return nil, err
	}
	return r.answers, nil
}

// enqueue lets a request wait, if there is room.
func (b *Batcher) enqueue(r *request) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch err := b.refusal(); {
	case err != nil:
		return err
	case r.n > b.o.Queue:
		return fmt.Errorf("%w: %d, want at most %d", ErrTooLarge, r.n, b.o.Queue)
	case b.images+r.n > b.o.Queue:
		return ErrFull
	}
	r.room(b)
	r.since = time.Now()
	b.waiting = append(b.waiting, r)
	b.images += r.n
	b.nudge()
	return nil
}

// room makes room for the answers.
func (r *request) room(b *Batcher) {
	r.answers = make([]Answer, r.n)
	parts := func(each int) func(i int) []float32 {
		all := make([]float32, r.n*each)
		return func(i int) []float32 { return all[i*each : (i+1)*each : (i+1)*each] }
	}
	logits := parts(b.logits)
	for i := range r.answers {
		r.answers[i].Logits = logits(i)
	}
	if r.asked.Gradient {
		gradient := parts(b.pixels)
		for i := range r.answers {
			r.answers[i].Gradient = gradient(i)
		}
	}
	if r.asked.Features {
		features := parts(b.features)
		for i := range r.answers {
			r.answers[i].Features = features(i)
		}
	}
}

// forget takes a request out of those that wait. The lock is held.
func (b *Batcher) forget(r *request) {
	for i, w := range b.waiting {
		if w == r {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			b.images -= r.n - r.taken
			return
		}
	}
}
