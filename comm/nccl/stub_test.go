//go:build !(cuda && linux && amd64)

package nccl

import (
	"errors"
	"strings"
	"testing"

	"jem/comm"
	"jem/comm/launch"
)

func TestWithoutNCCL(t *testing.T) {
	if c, _, err := Open(Options{Place: launch.Alone}); err != nil || c.Size() != 1 {
		t.Errorf("one rank: %v, %v", c, err)
	}
	_, _, err := Open(Options{Place: launch.Place{Size: 4, By: "srun"}})
	var setup *comm.SetupError
	if !errors.As(err, &setup) || !strings.Contains(err.Error(), "srun has started 4 ranks") || !strings.Contains(err.Error(), "make cuda") {
		t.Errorf("four ranks: %v", err)
	}
}
