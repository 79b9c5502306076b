// Package mpi is the engine of comm.Comm that speaks through an MPI library: Open MPI 4 and 5, MPICH 4 and 5, or any
// library with the standard ABI of MPI 5. The library is opened when ranks are started, not linked: a program built
// with the tag mpi, without C and without any MPI's headers, runs with each of them. Without the tag Open says what to build.
//
// One goroutine on a thread of its own makes all calls. They are non-blocking ones, asked for their end with growing
// pauses: a rank that waits leaves its core to others, and notices when it has waited too long.
package mpi

import (
	"time"

	"jem/comm/launch"
)

// Options say which rank this process is and how long it waits for others.
type Options struct {
	Place    launch.Place
	Patience time.Duration // longest wait in a round, and for the others at the start
	Notes    func(string)  // told what a user should know; may be nil, and is called from other goroutines
}
