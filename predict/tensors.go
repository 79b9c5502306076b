package predict

import (
	"fmt"

	"jem/backend"
	"jem/internal/checkpoint"
)

// BufferTensor is the replay buffer's name in its file.
const BufferTensor = "replay_buffer"

// Named is a tensor of the run's state.
type Named struct {
	Name  string
	Value backend.Tensor
}

// Upload fills tensors from those of a file, which must have the same names and shapes.
func Upload(d backend.Device, list []Named, file []checkpoint.Tensor) error {
	byName := map[string]checkpoint.Tensor{}
	for _, f := range file {
		byName[f.Name] = f
	}
	for _, n := range list {
		f, ok := byName[n.Name]
		if !ok {
			return fmt.Errorf("has no tensor %s", n.Name)
		}
		if fmt.Sprint(f.Shape) != fmt.Sprint(n.Value.Shape()) || f.F32 == nil {
			return fmt.Errorf("%s has shape %v, this configuration wants float32 %v", n.Name, f.Shape, n.Value.Shape())
		}
		d.Upload(n.Value, f.F32)
	}
	return nil
}
