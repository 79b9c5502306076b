package predict

import (
	"fmt"
	"slices"

	"jem/backend"
	"jem/internal/checkpoint"
	"jem/internal/fault"
)

// BufferTensor is the replay buffer's name in its file.
const BufferTensor = "replay_buffer"

// Named is a tensor of the run's state.
type Named struct {
	Name  string
	Value backend.Tensor
}

// Upload fills tensors from those of a checkpoint's file, which must have the same names and
// shapes, and finite values. Errors: a *fault.Error.
func Upload(d backend.Device, list []Named, c *checkpoint.Checkpoint, file string) error {
	tensors, err := Tensors(c, file)
	if err != nil && len(list) > 0 {
		return err
	}
	byName := map[string]checkpoint.Tensor{}
	for _, f := range tensors {
		byName[f.Name] = f
	}
	for _, n := range list {
		f, ok := byName[n.Name]
		if !ok {
			return misfit(c, file, fmt.Sprintf("has no tensor %s", n.Name))
		}
		if !slices.Equal(f.Shape, n.Value.Shape()) || f.F32 == nil {
			return misfit(c, file, fmt.Sprintf("%s has shape %s, want float32 of shape %v", n.Name, fault.Quote(f.Shape), n.Value.Shape()))
		}
		if i := slices.IndexFunc(f.F32, func(v float32) bool { return v-v != 0 }); i >= 0 {
			return misfit(c, file, fmt.Sprintf("%s holds %v at place %d: no run saves that", n.Name, f.F32[i], i))
		}
		d.Upload(n.Value, f.F32)
	}
	return nil
}

func misfit(c *checkpoint.Checkpoint, file, reason string) error {
	return &fault.Error{Path: File(c, file), Kind: fault.ErrBad, Reason: reason}
}
