package data

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Stream hands out a loader's batches in order, computed ahead on a goroutine of its own.
// Its buffers are reused: there is no garbage per step.
type Stream struct {
	ready, free chan *Batch
	stop        chan struct{}
	once        sync.Once
	done        sync.WaitGroup
	last        *Batch // in the caller's hands
	bug         string // once ready is closed: the panic that ended the goroutine
}

// Prefetch starts a stream at a step, at most ahead (≥ 1) batches ahead of the caller. It must be
// closed; to go to another step, close it and start a new one.
func Prefetch(l *Loader, step, ahead int) *Stream {
	ahead = max(ahead, 1)
	s := &Stream{ready: make(chan *Batch, ahead), free: make(chan *Batch, ahead+1), stop: make(chan struct{})}
	for range ahead + 1 {
		s.free <- l.NewBatch()
	}
	s.done.Go(func() { s.run(l, step) })
	return s
}

// Next returns the next step's batch. It belongs to the caller until the next call of Next or
// Close. After Close, Next returns nil. Next is for one goroutine, whose panic one in a batch's making becomes.
func (s *Stream) Next() *Batch {
	select {
	case <-s.stop:
		return nil
	default:
	}
	if s.last != nil {
		s.free <- s.last // never blocks: free has room for every batch there is
	}
	select {
	case b, made := <-s.ready:
		if s.last = b; !made {
			panic(s.bug)
		}
		return b
	case <-s.stop:
		return nil
	}
}

// Close ends the stream and waits for its goroutine. It may be called again.
func (s *Stream) Close() {
	s.once.Do(func() { close(s.stop) })
	s.done.Wait()
}

func (s *Stream) run(l *Loader, step int) {
	defer func() {
		if r := recover(); r != nil {
			s.bug = fmt.Sprintf("%v, while the batch of step %d was made\n\n%s", r, step, debug.Stack())
			close(s.ready)
		}
	}()
	for ; ; step++ {
		var b *Batch
		select {
		case b = <-s.free:
		case <-s.stop:
			return
		}
		b.Step = step
		l.Batch(step, b.Pixels, b.Labels)
		select {
		case s.ready <- b:
		case <-s.stop:
			return
		}
	}
}
