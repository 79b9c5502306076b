package train

import (
	"encoding/json"

	"jem/backend"
	"jem/internal/checkpoint"
	"jem/internal/sysmem"
)

// Snapshot is a run's state after some step, that is yet to be written. Where the trainer has room for a
// copy, steps taken since don't show in it.
type Snapshot struct {
	step  int
	state []byte
	files map[string][]checkpoint.Tensor
}

// Snapshot copies the run's present state to the host's memory, to the place of the snapshot before, which
// is no longer valid. Without room for a copy, see Waits, the tensors stay on the device until
// they are written, which must be at once. keeper, which may be nil, is JSON that KeeperState gives back.
func (t *Trainer) Snapshot(keeper json.RawMessage) (*Snapshot, error) {
	n := NumericsOf(t.dev)
	text, err := json.MarshalIndent(state{t.progress, &n, keeper}, "", "  ")
	if err != nil {
		return nil, err
	}
	s := &Snapshot{t.progress.Step, text, map[string][]checkpoint.Tensor{}}
	t.reserve()
	free := t.host
	for file, list := range t.files() {
		for _, n := range list {
			tensor := checkpoint.Tensor{Name: n.Name, Shape: n.Value.Shape()}
			if t.room {
				tensor.F32, free = free[:backend.Len(n.Value)], free[backend.Len(n.Value):]
				err = t.dev.Download(tensor.F32, n.Value)
			} else {
				tensor.Fill = func(dst []float32) error { return t.dev.Download(dst, n.Value) }
			}
			if err != nil {
				return nil, err
			}
			s.files[file] = append(s.files[file], tensor)
		}
	}
	return s, nil
}

// reserve takes the memory that snapshots copy to, if there is room. It writes to all of it, because whoever
// writes to memory first waits for the system, seconds on a busy machine: here, not between two steps.
func (t *Trainer) reserve() {
	if !t.room || t.host != nil {
		return
	}
	t.host = make([]float32, t.values())
	sysmem.HugePages(t.host)
	const page = 4096 / 4
	for i := 0; i < len(t.host); i += page {
		t.host[i] = 0
	}
}

// Write writes the state as a checkpoint of the store and returns its folder.
func (s *Snapshot) Write(to *checkpoint.Store) (path string, err error) {
	return to.Save(s.step, s.files, s.state)
}

// values is the number of values in the state's tensors, 4 bytes each.
func (t *Trainer) values() (n int) {
	for _, list := range t.files() {
		for _, tensor := range list {
			n += backend.Len(tensor.Value)
		}
	}
	return n
}
