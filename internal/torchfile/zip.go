package torchfile

import (
	"archive/zip"
	"errors"
	"io"
	"strings"

	"jem/internal/fault"
)

// archive is a zip file whose entries all lie in one folder. torch.save never compresses
// them, and compressed ones are refused: no entry is larger than its bytes in the file.
type archive struct {
	r       io.ReaderAt
	size    int64
	entries map[string]*zip.File // without the folder
	left    int64                // bytes of the file that entries read so far don't account for
}

// zipped reads the value of a zip file: data.pkl, and data/KEY for every storage.
func zipped(r io.ReaderAt, size int64) (any, error) {
	a, err := openArchive(r, size)
	if err != nil {
		return nil, err
	}
	if err := a.littleEndian(); err != nil {
		return nil, err
	}
	from, length, err := a.verified("data.pkl")
	if err != nil {
		return nil, err
	}
	in, s := newSource(r, from, from+length), newStorages(size)
	root, err := run(in, s)
	if err != nil {
		return nil, err
	}
	if in.pos != in.end {
		return nil, refuse(in.pos, "%d bytes follow the pickle", in.end-in.pos)
	}
	for _, st := range s.list {
		at, length, err := a.verified("data/" + st.key)
		if err != nil {
			return nil, err
		}
		if length != st.count*st.kind.Size {
			return nil, refuse(at, "storage %q has %d bytes, its tensors say %d×%s", st.key, length, st.count, st.kind.Name)
		}
		st.at = at
	}
	return root, nil
}

func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	z, err := zip.NewReader(within{r}, size)
	if err != nil {
		return nil, zipFault(size, "", err)
	}
	if len(z.File) > maxEntries {
		return nil, refuse(size, "zip of %d files, want at most %d", len(z.File), maxEntries)
	}
	a := &archive{r: r, size: size, entries: map[string]*zip.File{}, left: size}
	var folder string
	for i, f := range z.File {
		dir, name, ok := strings.Cut(f.Name, "/")
		if i == 0 {
			folder = dir
		}
		if !ok || dir != folder {
			return nil, refuse(0, "zip entry %q outside the folder %q of the first", f.Name, folder)
		}
		if _, twice := a.entries[name]; twice {
			return nil, refuse(0, "zip entry %q appears twice", f.Name)
		}
		a.entries[name] = f
	}
	return a, nil
}

// within refuses places before the file's begin, which a damaged directory can name.
type within struct{ io.ReaderAt }

func (w within) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 {
		return 0, refuse(0, "the zip's directory points before the begin of the file")
	}
	return w.ReaderAt.ReadAt(b, at)
}

// littleEndian checks the note of byte order that PyTorch 2.1 and later leave.
func (a *archive) littleEndian() error {
	if a.entries["byteorder"] == nil {
		return nil
	}
	from, length, err := a.verified("byteorder")
	if err != nil {
		return err
	}
	order, err := newSource(a.r, from, from+length).bytes(min(length, 16), "the byte order")
	if err == nil && string(order) != "little" {
		return refuse(from, "byte order %q, want little", order)
	}
	return err
}

// verified returns where an entry's bytes are, after comparing them with its checksum.
func (a *archive) verified(name string) (from, length int64, err error) {
	f := a.entries[name]
	if f == nil {
		return 0, 0, refuse(0, "zip without %q: not a checkpoint, or not the whole of one", name)
	}
	from, err = f.DataOffset()
	if err != nil {
		return 0, 0, zipFault(0, name, err)
	}
	if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
		return 0, 0, refuse(from, "zip entry %q is compressed, which torch.save never does", name)
	}
	if f.UncompressedSize64 > uint64(a.left) || from > a.size-int64(f.UncompressedSize64) {
		return 0, 0, refuse(from, "zip entry %q of %d bytes: more than the file has", name, f.UncompressedSize64)
	}
	length = int64(f.UncompressedSize64)
	a.left -= length
	content, err := f.Open()
	if err != nil {
		return 0, 0, zipFault(from, name, err)
	}
	defer content.Close()
	if _, err := io.Copy(io.Discard, content); err != nil {
		return 0, 0, zipFault(from, name, err)
	}
	return from, length, nil
}

// zipFault is a complaint of the zip library, unless it is the disk's.
func zipFault(offset int64, name string, err error) error {
	if name != "" {
		name = "entry " + fault.Quote(name) + " of the "
	}
	for _, cause := range []error{zip.ErrFormat, zip.ErrAlgorithm, zip.ErrChecksum, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, cause) {
			return refuse(offset, "%szip: %v: cut or damaged", name, err)
		}
	}
	return err
}
