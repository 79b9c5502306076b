package batch

import (
	"context"
	"errors"
	"time"
)

// turn is a call of Do.
type turn struct {
	do      func(*Model) error
	running bool
	gone    bool
	ended   chan error
}

// end tells who waits, once. The lock is held.
func (t *turn) end(err error) {
	if !t.gone {
		t.gone = true
		t.ended <- err
	}
}

// Do has do called on the device's goroutine, between two batches, and returns its error. Turns go in their order, and a
// batch, if one waits, between any two: so whoever has much to do, a chain of SGLD steps, does a little
// each turn (some milliseconds), and answers stay quick. When ctx ends before do has begun, do is never called;
// once it has, Do waits for it. Errors besides: ErrFull, ErrClosed, ErrBroken. A panic of do breaks the Batcher.
func (b *Batcher) Do(ctx context.Context, do func(*Model) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &turn{do: do, ended: make(chan error, 1)}
	b.mu.Lock()
	err := b.refusal()
	if err == nil && len(b.turns) >= b.o.Turns {
		err = ErrFull
	}
	if err == nil {
		b.turns = append(b.turns, t)
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	b.nudge()
	return b.await(ctx, t)
}

// await waits for a turn's end, or takes it out when ctx ends before it has begun.
func (b *Batcher) await(ctx context.Context, t *turn) error {
	select {
	case err := <-t.ended:
		return err
	case <-ctx.Done():
	}
	b.mu.Lock()
	if t.running || t.gone {
		b.mu.Unlock()
		return <-t.ended
	}
	t.gone = true
	for i, w := range b.turns {
		if w == t {
			b.turns = append(b.turns[:i], b.turns[i+1:]...)
			break
		}
	}
	if b.swap == t {
		b.swap = nil
	}
	b.mu.Unlock()
	return ctx.Err()
}

// turn does the next.
func (b *Batcher) turn() {
	b.mu.Lock()
	if len(b.turns) == 0 {
		b.mu.Unlock()
		return
	}
	t := b.turns[0]
	b.turns = append(b.turns[:0], b.turns[1:]...)
	t.running = true
	b.mu.Unlock()
	start := time.Now()
	err := guard("a turn", func() error { return t.do(b.Model()) })
	b.mu.Lock()
	b.count.Turns++
	b.count.Busy += time.Since(start)
	t.end(err)
	b.mu.Unlock()
	if p := (*PanicError)(nil); errors.As(err, &p) {
		b.fail(err)
	}
}
