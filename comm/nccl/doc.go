// Package nccl is the engine of comm.Comm that speaks through NVIDIA's NCCL: ranks that each have a card. It also adds
// up what lies on the cards without the host, see comm.CardSummer. The library is opened when ranks are started, not
// linked; so is the driver. Without the tag cuda Open says what to build.
//
// One goroutine on a thread of its own makes the library's calls. The communicator is a non-blocking one, asked for
// the end of each call with growing pauses: so whoever waits notices when it has waited too long. Numbers of the host
// pass through memory on the card, and are added up on the host, in the order of ranks.
//
// Where the ranks were started by an MPI that is there, too, that one carries the host's numbers, notices who is gone,
// and ends the job; else ranks find each other at an address, see Options.
package nccl

import (
	"time"

	"jem/comm"
	"jem/comm/launch"
)

// LibraryVariable names the environment variable with the path of the NCCL library to use.
const LibraryVariable = "JEM_NCCL_LIB"

// Options say which rank this process is, where the others are, and how long it waits for them.
type Options struct {
	Place    launch.Place
	Patience time.Duration // longest wait in a round, and for the others at the start
	Notes    func(string)  // told what a user should know; may be nil, and is called from other goroutines
	Job      string        // the same for all ranks of a job, and another for other jobs
	// Under is an engine of the same ranks that is open already; nil where ranks meet at Place.Address. Open's engine
	// takes it over.
	Under comm.Comm
}
