//go:build cuda && linux && amd64

package nccl

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"jem/comm"
)

// grace is how long the library has for ending what is under way before it is done without.
const grace = 2 * time.Second

// Abort implements comm.Comm: nobody ends the other ranks but whoever started them, or their own patience.
func (e *engine) Abort(code int, _ string) {
	e.cut()
	syscall.Exit(code)
}

// cut has the communicator given up, where that can be done soon.
func (e *engine) cut() {
	done := make(chan struct{})
	go func() {
		e.urgent <- func() { e.abandon(); close(done) }
	}()
	select {
	case <-done:
	case <-time.After(grace):
	}
}

// abandon gives the communicator up: what is under way on the card ends.
func (e *engine) abandon() {
	if e.comm != 0 {
		c := e.comm
		e.comm = 0
		if e.gone == nil {
			e.gone = e.fault("end", 0, errors.New("given up"))
		}
		_ = e.lib.call(0, "ncclCommAbort", c)
	}
}

// Close implements comm.Comm.
func (e *engine) Close() error {
	if _, err := e.Max(0); err != nil {
		return err
	}
	e.end()
	return nil
}

// end gives communicator and card back. All ranks come to it, with their work done: what goes wrong now is told, and
// changes nothing.
func (e *engine) end() {
	err := e.start(&operation{name: "end", begin: func(int) (bool, error) {
		if err := e.lib.call(e.comm, "ncclCommFinalize", e.comm); err != nil {
			return false, err
		}
		if _, err := e.await(e.settled); err != nil {
			return false, err
		}
		c := e.comm
		e.comm = 0
		return false, errors.Join(e.lib.call(0, "ncclCommDestroy", c), e.card.close())
	}}).Wait()
	if peer := (*comm.PeerError)(nil); errors.As(err, &peer) && e.notes != nil {
		e.notes(fmt.Sprintf("rank %d could not end NCCL as it should, with all work done: %v", e.rank, peer.Err))
	}
}

// Exit implements comm.Comm.
func (e *engine) Exit(code int) { os.Exit(code) }

// orphaned says that the launcher is gone.
func (e *engine) orphaned() {
	if e.notes != nil {
		e.notes(fmt.Sprintf("rank %d on %s ends after step %d: the process that started it is gone; start the same command again, and the run goes on from its last checkpoint",
			e.rank, e.host, e.steps.Load()))
	}
}
