package torchfile

import (
	"io"

	"jem/internal/dtype"
	"jem/internal/fault"
)

// File is a checkpoint whose pickle has been run. Its numbers are read when they are asked for.
type File struct {
	Entries []Entry // in the file's order

	r    io.ReaderAt
	size int64
	left int64 // bytes that tensors read from now on may have, all together
}

// Entry is one value of a checkpoint, found in dicts within dicts.
type Entry struct {
	Name  string     // the keys that lead to it, joined by dots
	Depth int        // how many keys that is
	What  string     // in words: "a tensor of float32", "a number"
	Text  string     // of a string
	Type  dtype.Type // of a tensor's numbers; of no name where it is no tensor
	Shape []int      // of a tensor

	tensor *tensor
}

// Open reads a checkpoint of size bytes but for its numbers. A *FormatError says what is wrong with the
// file; other errors are the reader's.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var magic [4]byte
	n, err := r.ReadAt(magic[:], 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	open := legacy
	if n == len(magic) && string(magic[:]) == "PK\x03\x04" {
		open = zipped
	}
	root, err := open(r, size)
	if err != nil {
		return nil, err
	}
	d, ok := root.(*dict)
	if !ok {
		return nil, refuse(0, "holds no dict of tensors, but %s", what(root))
	}
	f := &File{r: r, size: size, left: maxShared * size}
	return f, f.list(d, "", 1)
}

// list adds what a dict holds, and the dicts in it.
func (f *File) list(d *dict, before string, depth int) error {
	if depth > maxDepth {
		return refuse(0, "dicts nested more than %d deep", maxDepth)
	}
	for _, key := range d.keys {
		name, isText := key.(string)
		if !isText {
			name = fault.Quote(key)
		}
		if name = before + name; len(name) > maxName || len(f.Entries) == maxValues {
			return refuse(0, "more than %d values, or names of more than %d bytes", maxValues, maxName)
		}
		if inner, isDict := d.values[key].(*dict); isDict && len(inner.keys) > 0 {
			if err := f.list(inner, name+".", depth+1); err != nil {
				return err
			}
			continue
		}
		f.Entries = append(f.Entries, entry(name, depth, d.values[key]))
	}
	return nil
}

func entry(name string, depth int, v any) Entry {
	e := Entry{Name: name, Depth: depth, What: what(v)}
	switch v := v.(type) {
	case string:
		e.Text = v
	case *tensor:
		e.tensor, e.Type, e.Shape = v, v.kind, v.sizes()
	}
	return e
}

// Tensor reads the numbers of an entry whose type is one of floats or integers.
func (f *File) Tensor(e Entry) (Tensor, error) {
	t := e.tensor
	if f.left -= max(t.span(), t.len()) * t.kind.Size; f.left < 0 {
		return Tensor{}, refuse(t.at, "tensors up to %q are more than %d times larger than the file, being views of the same numbers", e.Name, maxShared)
	}
	return t.read(f.r, e.Name)
}
