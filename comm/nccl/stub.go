//go:build !(cuda && linux && amd64)

package nccl

import (
	"fmt"

	"jem/comm"
)

// Built says whether the program was built with NCCL.
const Built = false

// Open gives one rank its engine. There is none for more in this build.
func Open(o Options) (c comm.Comm, card int, err error) {
	if o.Place.Size == 1 {
		return comm.Local{}, 0, nil
	}
	return nil, 0, &comm.SetupError{Reason: fmt.Sprintf("%s has started %d ranks for the device cuda, and this program has none: use bin/jem-cuda (make cuda), on Linux on x86-64", o.Place.By, o.Place.Size)}
}
