package weights

import (
	"io"
	"strings"

	"jem/internal/dtype"
	"jem/internal/safetensors"
	"jem/internal/torchfile"
)

// entry is what a file holds under a name: a tensor, or something else.
type entry struct {
	name  string // with the keys of the dicts around it, joined by dots
	depth int    // how many keys that is
	what  string // in words: "a tensor of float32", "a number"
	kind  dtype.Type
	shape []int
	read  func() (Tensor, error)
}

// numbers holds for tensors that can be read.
func (e *entry) numbers() bool { return e.kind.Float() || e.kind.Whole() }

// source is what a file holds, whatever its format.
type source struct {
	entries []entry
	texts   map[string]string // metadata
}

// open reads all of a file but its numbers.
func open(path string, f io.ReaderAt, size int64) (s source, err error) {
	switch ending(path) {
	case ".pt", ".pth", ".ckpt", ".bin", ".tar":
		if s, err = fromTorch(f, size); err != nil && !ofSystem(err) {
			err = bad(path, "no checkpoint that can be read", err)
		}
	case ".safetensors":
		if s, err = fromSafetensors(f, size); err != nil && !ofSystem(err) {
			err = bad(path, "no safetensors file that can be read", err)
		}
	case ".onnx":
		err = bad(path, "ONNX files are only written: use the run, or a .pt or .safetensors of it", nil)
	default:
		err = bad(path, "want a file named .pt, .pth or .safetensors, or a run's folder", nil)
	}
	return s, err
}

// metadataKey is the entry of a .pt file that holds texts about the network.
const metadataKey = "metadata."

func fromTorch(r io.ReaderAt, size int64) (s source, err error) {
	f, err := torchfile.Open(r, size)
	if err != nil {
		return s, err
	}
	s.texts = map[string]string{}
	for _, e := range f.Entries {
		if key, about := strings.CutPrefix(e.Name, metadataKey); about && e.Depth == 2 && e.Type.Name == "" {
			s.texts[key] = e.Text
			continue
		}
		s.entries = append(s.entries, entry{
			name: e.Name, depth: e.Depth, what: e.What, kind: e.Type, shape: e.Shape,
			read: func() (Tensor, error) { return f.Tensor(e) },
		})
	}
	return s, nil
}

func fromSafetensors(r io.ReaderAt, size int64) (s source, err error) {
	f, err := safetensors.Open(r, size)
	if err != nil {
		return s, err
	}
	s.texts = f.Metadata
	for _, e := range f.Entries {
		s.entries = append(s.entries, entry{
			name: e.Name, depth: 1, what: "a tensor of " + e.Type.Name, kind: e.Type, shape: e.Shape,
			read: func() (Tensor, error) { return f.Tensor(e) },
		})
	}
	return s, nil
}

// fromTensors is a source of tensors that lie in memory.
func fromTensors(tensors []Tensor) (s source) {
	for _, t := range tensors {
		kind := dtype.Float32
		if t.I32 != nil {
			kind = dtype.Int32
		}
		s.entries = append(s.entries, entry{
			name: t.Name, depth: 1, what: "a tensor of " + kind.Name, kind: kind, shape: t.Shape,
			read: func() (Tensor, error) { return t, nil },
		})
	}
	return s
}
