package train

import (
	"context"
	"fmt"
	"runtime/debug"

	"jem/comm"
	"jem/internal/sysmem"
)

// writing is a checkpoint on its way to the disk.
type writing struct {
	step     int
	done     chan struct{} // closed when path, err and panicked are there
	path     string
	err      error
	panicked string
}

// toDisk calls write, which puts the state after so many steps on the disk: in a goroutine, or before
// it returns.
func toDisk(step int, write func() (path string, err error), meanwhile bool) *writing {
	w := &writing{step: step, done: make(chan struct{})}
	if meanwhile {
		go w.run(write)
	} else {
		w.run(write)
	}
	return w
}

func (w *writing) run(write func() (path string, err error)) {
	defer close(w.done)
	defer func() {
		if r := recover(); r != nil {
			w.panicked = fmt.Sprintf("%v, while the checkpoint of step %d was written\n\n%s", r, w.step, debug.Stack())
		}
	}()
	w.path, w.err = write()
}

// settle is arrive for all ranks: whoever needs what is on the disk, or ends, calls it first. The first rank alone
// writes; where it has lost the others, which err tells, it doesn't ask for them.
func (t *Trainer) settle(o Observer, err error) error {
	if comm.Lost(err) {
		return t.arrive(o)
	}
	return t.accord.Lead(func(context.Context) error { return t.arrive(o) })
}

// arrive waits until the checkpoint that is being written, if one is, has come to the disk, and tells the
// observer; the error says why it could not.
func (t *Trainer) arrive(o Observer) error {
	w := t.writing
	if w == nil {
		return nil
	}
	<-w.done
	t.writing = nil
	switch {
	case w.panicked != "":
		panic(w.panicked)
	case w.err != nil:
		return w.err
	}
	return o.Saved(w.step, w.path)
}

// arrived is arrive for a checkpoint that has come to the disk; it doesn't wait.
func (t *Trainer) arrived(o Observer) error {
	if t.writing == nil {
		return nil
	}
	select {
	case <-t.writing.done:
		return t.arrive(o)
	default:
		return nil
	}
}

// roomy reports whether the host has memory for a copy of the state.
func (t *Trainer) roomy() bool {
	_, short := sysmem.Short(4 * float64(t.values()))
	return !short
}

// Waits is a sentence for the user where training waits for each checkpoint until it is on the disk,
// because there is no memory for a copy of the state; empty where it goes on meanwhile. No result
// depends on it.
func (t *Trainer) Waits() string {
	if t.room {
		return ""
	}
	return fmt.Sprintf("there is no memory for a copy of the run's state (%s): training waits while a checkpoint is written", sysmem.Amount(4*float64(t.values())))
}
