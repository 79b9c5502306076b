//go:build cuda && linux && amd64

package driver

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// thread is a goroutine on an OS thread of its own. CUDA's current context and a stream's
// capture belong to a thread, and goroutines wander: so all calls are made here, one after the
// other, whoever asks for them.
type thread struct {
	calls chan func() error
	done  chan outcome
}

// outcome is what a call came to: its error, or the panic that it ended in.
type outcome struct {
	err error
	bug string
}

func newThread() *thread {
	t := &thread{calls: make(chan func() error), done: make(chan outcome, 1)}
	go t.loop()
	return t
}

func (t *thread) loop() {
	runtime.LockOSThread() // never unlocked: the OS thread ends with the goroutine
	for f := range t.calls {
		t.done <- caught(f)
	}
	close(t.done)
}

func caught(f func() error) (o outcome) {
	defer func() {
		if r := recover(); r != nil {
			o.bug = fmt.Sprintf("%v\n\n%s", r, debug.Stack())
		}
	}()
	o.err = f()
	return o
}

// do makes the call there and waits for it. It must not be called from there. A panic there is raised here.
func (t *thread) do(f func() error) error {
	t.calls <- f
	o := <-t.done
	if o.bug != "" {
		panic(o.bug)
	}
	return o.err
}

func (t *thread) close() {
	close(t.calls)
	<-t.done
}
