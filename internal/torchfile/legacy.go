package torchfile

import (
	"errors"
	"io"
)

// magic is the number that the first pickle of a legacy file holds.
const magic = long("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")

const legacyProtocol = 1001

// legacy reads the value of a legacy file: pickles of the magic number, the protocol, the
// writer's byte order and type sizes, the value and the storages' keys; then every storage,
// its number of elements before it, to the last byte of the file.
func legacy(r io.ReaderAt, size int64) (any, error) {
	in := newSource(r, 0, size)
	if v, err := run(in, nil); v != magic {
		if format := (*FormatError)(nil); err != nil && !errors.As(err, &format) {
			return nil, err
		}
		return nil, refuse(0, "neither begin of PyTorch's two file formats: not written by torch.save, or damaged")
	}
	if v, err := run(in, nil); err != nil {
		return nil, err
	} else if v != int64(legacyProtocol) {
		return nil, refuse(in.pos, "legacy protocol %v, want %d", v, legacyProtocol)
	}
	if v, err := run(in, nil); err != nil {
		return nil, err
	} else if d, ok := v.(*dict); !ok || d.values["little_endian"] != true {
		return nil, refuse(in.pos, "written on a machine that is not little-endian")
	}
	s := newStorages(size)
	root, err := run(in, s)
	if err != nil {
		return nil, err
	}
	keys, err := run(in, nil)
	if err != nil {
		return nil, err
	}
	return root, s.follow(in, keys)
}

// follow passes over the storages at the end of a legacy file and notes where each is.
func (s *storages) follow(in *source, keys any) error {
	l, ok := keys.(*list)
	if !ok || len(l.items) != len(s.list) {
		return refuse(in.pos, "the list of storages is not that of the %d in use", len(s.list))
	}
	for _, key := range l.items {
		name, _ := key.(string)
		st, known := s.byKey[name]
		if !known || st.at != 0 {
			return refuse(in.pos, "the list has storage %q, which is not in use or was there before", name)
		}
		count, err := in.number(8, "a storage's length")
		if err != nil {
			return err
		}
		if count != uint64(st.count) {
			return refuse(in.pos, "storage %q has %d elements, its tensors say %d", name, count, st.count)
		}
		st.at = in.pos
		if err := in.skip(st.count*st.kind.Size, "a storage"); err != nil {
			return err
		}
	}
	if in.pos != in.end {
		return refuse(in.pos, "%d bytes follow the last storage", in.end-in.pos)
	}
	return nil
}
