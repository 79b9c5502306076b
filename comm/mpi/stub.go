//go:build !(mpi && linux && (amd64 || arm64))

package mpi

import (
	"fmt"

	"jem/comm"
)

// Built says whether the program was built with MPI.
const Built = false

// Open gives one rank its engine. There is none for more in this build.
func Open(o Options) (comm.Comm, error) {
	if o.Place.Size == 1 {
		return comm.Local{}, nil
	}
	return nil, &comm.SetupError{Reason: fmt.Sprintf("%s has started %d ranks, and this program was built for one: use bin/jem-mpi (make mpi), which speaks through an MPI library, on Linux",
		o.Place.By, o.Place.Size)}
}
