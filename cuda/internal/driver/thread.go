//go:build cuda && linux && amd64

package driver

import "runtime"

// thread is a goroutine on an OS thread of its own. CUDA's current context and a stream's
// capture belong to a thread, and goroutines wander: so all calls are made here, one after the
// other, whoever asks for them.
type thread struct {
	calls chan func() error
	done  chan error
}

func newThread() *thread {
	t := &thread{calls: make(chan func() error), done: make(chan error, 1)}
	go t.loop()
	return t
}

func (t *thread) loop() {
	runtime.LockOSThread() // never unlocked: the OS thread ends with the goroutine
	for f := range t.calls {
		t.done <- f()
	}
	close(t.done)
}

// do makes the call there and waits for it. It must not be called from there.
func (t *thread) do(f func() error) error {
	t.calls <- f
	return <-t.done
}

func (t *thread) close() {
	close(t.calls)
	<-t.done
}
