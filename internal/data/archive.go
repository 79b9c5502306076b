package data

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"

	"jem/internal/durable"
	"jem/internal/fault"
)

// Limits on an archive: CIFAR's have 8 files and 184 MB.
const (
	maxArchiveFiles = 64
	maxArchiveBytes = 1 << 30
)

// unpack writes the files of a tar.gz into the listing's folder in dir. An archive with
// anything but folders and regular files directly in that folder is refused. Files get their
// names when they are complete; os.Root keeps every path within dir.
func (l Listing) unpack(archive io.Reader, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	packed, err := gzip.NewReader(archive)
	if err != nil {
		return unreadable(err, "gzip header")
	}
	left := int64(maxArchiveBytes)
	for entries, r := 0, tar.NewReader(packed); ; entries++ {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unreadable(err, "archive")
		}
		if left -= h.Size; entries == maxArchiveFiles || left < 0 {
			return fault.Badf("archive with more than %d files or %d bytes", maxArchiveFiles, maxArchiveBytes)
		}
		if err := l.unpackEntry(root, r, h); err != nil {
			return err
		}
	}
}

func (l Listing) unpackEntry(root *os.Root, r io.Reader, h *tar.Header) error {
	name := path.Clean(h.Name)
	switch {
	case h.Typeflag == tar.TypeDir && name == l.Folder:
		return nil
	case h.Typeflag != tar.TypeReg || path.Dir(name) != l.Folder:
		return fault.Badf("archive entry %q of type %q: only files in %s are expected", h.Name, h.Typeflag, l.Folder)
	}
	if err := root.Mkdir(l.Folder, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if err := root.Remove(name + ".part"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // which follows no link
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, durable.Sync(f), f.Close()); err != nil {
		return errors.Join(err, root.Remove(name+".part"))
	}
	return root.Rename(name+".part", name)
}
