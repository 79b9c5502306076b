//go:build mpi && linux && (amd64 || arm64)

package mpi

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/ebitengine/purego"
)

// grace is how long MPI has for ending the job or the process before it is done without.
const grace = 2 * time.Second

// drain is what a launcher takes to pass on what its ranks have said: some drop it when they end a job.
const drain = 250 * time.Millisecond

// Abort implements comm.Comm: MPI has the launcher end all ranks, and where that doesn't end this one within two
// seconds it is killed.
func (e *engine) Abort(code int, why string) {
	go func() {
		time.Sleep(drain + grace)
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}()
	e.tell(why)
	time.Sleep(drain)
	e.urgent <- func() { e.lib.call("MPI_Abort", e.lib.world, uintptr(code)) }
	select {}
}

// Close implements comm.Comm.
func (e *engine) Close() error {
	if _, err := e.Max(0); err != nil {
		return err
	}
	return e.start(&operation{name: "end", begin: func(int) (bool, error) {
		e.withdraw()
		e.ended = true
		return false, e.lib.call("MPI_Finalize")
	}}).Wait()
}

// Exit implements comm.Comm. Go's own exit leaves out what C libraries do at the end, and some launchers take that for a death.
func (e *engine) Exit(code int) {
	go func() {
		time.Sleep(grace)
		syscall.Exit(code)
	}()
	e.urgent <- func() {
		if exit, err := purego.Dlsym(purego.RTLD_DEFAULT, "exit"); err == nil {
			purego.SyscallN(exit, uintptr(code))
		}
		syscall.Exit(code)
	}
	select {}
}

// orphaned says that the launcher is gone.
func (e *engine) orphaned() {
	e.tell(fmt.Sprintf("rank %d on %s ends after step %d: the process that started it is gone; start the same command again, and the run goes on from its last checkpoint",
		e.rank, e.host, e.steps.Load()))
}

func (e *engine) tell(text string) {
	if e.notes != nil && text != "" {
		e.notes(text)
	}
}
