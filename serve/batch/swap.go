package batch

import (
	"context"
	"errors"
	"fmt"

	"jem/backend"
	"jem/predict"
)

// Swap replaces the network by the one that open opens on the same device, which takes the same images to the same classes.
// open runs on the device's goroutine; it calls breathe now and then, between two uses of the device, and what
// waits is answered by the old network meanwhile. Each request is answered by one of the two, whole. After
// an error the old one stays, and what open returns beside the error is the next Spare. open may use old, the present network, but for
// nothing that outlives the call.
func (b *Batcher) Swap(ctx context.Context, open func(d backend.Device, old *Model, breathe func()) (*Model, error)) error {
	b.swapping.Lock()
	defer b.swapping.Unlock()
	t := &turn{ended: make(chan error, 1)}
	t.do = func(old *Model) error {
		m, err := open(b.dev, old, b.breathe)
		if err == nil {
			err = b.replace(ctx, old, m)
		}
		if err != nil && m != nil && m.Predictor != nil && m.Predictor != old.Predictor {
			b.spare = m.Predictor // its memory serves the next one
		}
		return err
	}
	b.mu.Lock()
	err := b.refusal()
	if err == nil {
		b.swap = t
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	b.nudge()
	return b.await(ctx, t)
}

// swapped does the swap that waits.
func (b *Batcher) swapped() {
	b.mu.Lock()
	t := b.swap
	if t == nil {
		b.mu.Unlock()
		return
	}
	t.running = true
	b.swap = nil
	b.mu.Unlock()
	err := guard("opening another network", func() error { return t.do(b.Model()) })
	b.mu.Lock()
	t.end(err)
	b.mu.Unlock()
	if p := (*PanicError)(nil); errors.As(err, &p) {
		b.fail(err)
	}
}

// breathe answers a batch and does a turn, if any wait.
func (b *Batcher) breathe() {
	if b.Err() != nil && errors.Is(b.Err(), ErrBroken) {
		return
	}
	if n, asked := b.gather(b.Model(), false); n > 0 {
		b.batch(n, asked)
	}
	b.turn()
}

// replace lets m answer from now on. Requests that old has begun it also finishes.
func (b *Batcher) replace(ctx context.Context, old, m *Model) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if was, is := old.Net().Config, m.Net().Config; is.InC != was.InC || is.Size != was.Size || is.Classes != was.Classes || m.Features() != old.Features() {
		return fmt.Errorf("%s is another network: %d classes of %d×%d images with %d channels and %d features, where %d of %d×%d with %d and %d are served",
			m.Checkpoint, is.Classes, is.Size, is.Size, is.InC, m.Features(), was.Classes, was.Size, was.Size, was.InC, old.Features())
	}
	a, err := warm(m.Predictor, b.o.Most)
	if err != nil {
		return err
	}
	if a.Rows() < b.o.Most {
		a.Close()
		return fmt.Errorf("%s is planned for %d images at once, where %d are served", m.Checkpoint, a.Rows(), b.o.Most)
	}
	for n, asked := b.gather(old, true); n > 0; n, asked = b.gather(old, true) {
		b.batch(n, asked)
	}
	b.answerer.Close()
	b.answerer, b.spare = a, old.Predictor
	b.model.Store(m)
	return nil
}

// Spare is the network that answered before the present one, or was to, if there was one: a place for predict.Into. It is for
// the open of Swap alone.
func (b *Batcher) Spare() *predict.Predictor { return b.spare }
