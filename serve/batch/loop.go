package batch

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"jem/backend"
	"jem/predict"
)

// device is what only the device's goroutine touches.
type device struct {
	dev      backend.Device
	answerer *predict.Answerer
	spare    *predict.Predictor // see Spare
	parts    []part
	later    []*request
	last     int // requests of the last batch: as many may come again
	timer    *time.Timer
}

// live is the life of the device's goroutine, which keeps its thread: a CUDA device wants that.
func (b *Batcher) live(open func() (backend.Device, *Model, error), opened chan<- error) {
	defer close(b.over)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := guard("opening", func() error { return b.open(open) })
	if b.dev != nil {
		defer func() { _ = guard("closing", b.dev.Close) }()
	}
	opened <- err
	for err == nil && b.next() {
		if n, asked := b.gather(b.Model(), false); n > 0 {
			b.batch(n, asked)
		}
		b.turn()
		b.swapped()
	}
}

// open opens the device and the network.
func (b *Batcher) open(open func() (backend.Device, *Model, error)) (err error) {
	var m *Model
	if b.dev, m, err = open(); err != nil {
		return err
	}
	c := m.Net().Config
	b.pixels, b.logits, b.features = c.InC*c.Size*c.Size, c.Classes, m.Features()
	b.timer = time.NewTimer(time.Hour)
	b.timer.Stop()
	a, err := warm(m.Predictor, b.o.Most)
	if err != nil {
		return err
	}
	b.o.fill(a.Rows())
	b.answerer = a
	b.model.Store(m)
	return nil
}

// warm makes an Answerer and has it answer once each way, with one image and with a whole batch: memory is
// touched, plans are made, and a broken device is found out.
func warm(p *predict.Predictor, most int) (*predict.Answerer, error) {
	a := predict.NewAnswerer(p)
	if most <= 0 || most > a.Rows() {
		most = a.Rows()
	}
	for _, n := range []int{1, most} {
		for _, asked := range []predict.Asked{{}, {Mass: true}} {
			if _, err := a.Answer(n, asked); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

// next waits until there is something to do; false: all is done and nothing more will come.
func (b *Batcher) next() bool {
	for {
		b.mu.Lock()
		todo := len(b.waiting) > 0 || len(b.turns) > 0 || b.swap != nil
		closing := b.closing
		b.mu.Unlock()
		switch {
		case todo:
			b.linger()
			return true
		case closing:
			return false
		}
		<-b.wake
	}
}

// linger waits a little for as many requests as the last batch had, if nothing else is to do: who has just been answered
// asks again in a moment, and one batch is done sooner than two.
func (b *Batcher) linger() {
	for {
		b.mu.Lock()
		left := time.Duration(0)
		if b.lacking() {
			left = b.o.Wait - time.Since(b.waiting[0].since)
		}
		b.mu.Unlock()
		if left <= 0 {
			return
		}
		b.timer.Reset(left)
		select {
		case <-b.wake:
			b.timer.Stop()
		case <-b.timer.C:
			return
		}
	}
}

// lacking reports whether a batch may be worth waiting for.
func (b *Batcher) lacking() bool {
	return len(b.waiting) > 0 && len(b.waiting) < b.last && b.images < b.o.Most && len(b.turns) == 0 && b.swap == nil && !b.closing
}

// batch answers the images that were gathered.
func (b *Batcher) batch(n int, asked predict.Asked) {
	start := time.Now()
	var got predict.Answers
	err := guard("a batch", func() (err error) {
		got, err = b.answerer.Answer(n, asked)
		return err
	})
	if err != nil {
		b.lose(err)
		return
	}
	s := b.tally(got.Mass != nil, start, time.Now())
	b.last = s.Requests
	if b.o.Watch != nil {
		b.o.Watch(s)
	}
	b.hand(got) // last: who has an answer finds it counted
}

// lose fails, also those whose images were on the device.
func (b *Batcher) lose(err error) {
	b.fail(err)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.parts {
		p.r.end(b.broken)
	}
	clear(b.parts)
}

// guard makes an error of a panic: one of the device, or of who uses it.
func guard(what string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{What: what, Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// PanicError is a panic on the device's goroutine: a bug, or memory that isn't there.
type PanicError struct {
	What  string // what was being done
	Value any    // of the panic
	Stack []byte // where
}

// Error is a sentence.
func (e *PanicError) Error() string { return fmt.Sprintf("panic in %s: %v", e.What, e.Value) }

// Unwrap is the panic's value where that is an error, as those of a device are; nil elsewhere.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
