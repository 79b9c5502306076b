package torchfile

import (
	"fmt"
	"io"
	"strings"
)

// Read reads a checkpoint of size bytes: the dict {"model_state_dict", "replay_buffer"} that
// the official code saves, or a bare state dict. What else a dict of the former kind has
// (optimisers, epochs) is passed over. A *FormatError says what is wrong with the file;
// other errors are the reader's.
func Read(r io.ReaderAt, size int64) (State, error) {
	var magic [4]byte
	n, err := r.ReadAt(magic[:], 0)
	if err != nil && err != io.EOF {
		return State{}, err
	}
	open := legacy
	if n == len(magic) && string(magic[:]) == "PK\x03\x04" {
		open = zipped
	}
	root, err := open(r, size)
	if err != nil {
		return State{}, err
	}
	return layout(root, &reading{r, size})
}

// reading reads tensors and keeps account: all together may not be larger than the file.
// Views of one storage could be, however small the file.
type reading struct {
	r    io.ReaderAt
	left int64 // bytes
}

func (r *reading) tensor(t *tensor, name string) (Tensor, error) {
	if r.left -= max(t.span(), t.len()) * t.kind.size; r.left < 0 {
		return Tensor{}, refuse(t.at, "tensors up to %q are larger than the file: views of the same numbers are not read", name)
	}
	return t.read(r.r, name)
}

// layout finds the state dict in the value of a pickle.
func layout(root any, r *reading) (s State, err error) {
	d, ok := root.(*dict)
	if !ok {
		return s, refuse(0, "holds no dict of tensors")
	}
	model := d
	if v, wrapped := d.values["model_state_dict"]; wrapped {
		if model, ok = v.(*dict); !ok {
			return s, refuse(0, "model_state_dict is no dict")
		}
		if buffer, ok := d.values["replay_buffer"].(*tensor); ok {
			b, err := r.tensor(buffer, "replay_buffer")
			if err != nil {
				return s, err
			}
			s.Buffer = &b
		}
	}
	s.Model, err = stateDict(model, r)
	return s, err
}

// stateDict reads the tensors of a state dict.
func stateDict(d *dict, r *reading) ([]Tensor, error) {
	var out []Tensor
	seen := map[string]bool{}
	for _, key := range d.keys {
		t, ok := d.values[key].(*tensor)
		full, isString := key.(string)
		if !ok || !isString {
			return nil, refuse(0, "the state dict has an entry %q that is no tensor", fmt.Sprint(key))
		}
		name := strings.TrimPrefix(full, "module.") // torch.nn.DataParallel
		if seen[name] {
			return nil, refuse(0, "the state dict has %q with and without module. before it", name)
		}
		seen[name] = true
		read, err := r.tensor(t, name)
		if err != nil {
			return nil, err
		}
		out = append(out, read)
	}
	if len(out) == 0 {
		return nil, refuse(0, "the state dict is empty")
	}
	return out, nil
}
