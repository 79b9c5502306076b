package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"jem/internal/fault"
)

// Open opens a file for reading if it is a regular one; links are followed. To open a pipe
// would wait for its writer, and to read a device might never end. Errors: *fault.Error for
// what is no regular file, or of the file system.
func Open(path string) (*os.File, error) { return open(path, os.O_RDONLY, 0, os.Stat) }

// OpenOwn is os.OpenFile for a file of a folder whose content may be somebody else's, as a
// run's that came in an archive: a link, which might lead to a file outside, is refused as
// all else is that is no regular file. Errors: those of Open.
func OpenOwn(path string, flag int, perm fs.FileMode) (*os.File, error) {
	return open(path, flag, perm, os.Lstat)
}

// ReadFile is os.ReadFile for what Open opens, of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	return readAll(path, f, limit, err)
}

// ReadOwn is os.ReadFile for what OpenOwn opens, of at most limit bytes.
func ReadOwn(path string, limit int64) ([]byte, error) {
	f, err := OpenOwn(path, os.O_RDONLY, 0)
	return readAll(path, f, limit, err)
}

// CheckRegular is the *fault.Error of Open for what is no regular file.
func CheckRegular(path string, mode fs.FileMode) error {
	var is string
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		is = "a folder"
	case mode&fs.ModeSymlink != 0:
		is = "a link"
	case mode&fs.ModeNamedPipe != 0:
		is = "a pipe"
	case mode&fs.ModeSocket != 0:
		is = "a socket"
	default:
		is = "a device"
	}
	return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "is " + is + " where a regular file is expected"}
}

// errReplaced says that what was opened is not what had been looked at.
var errReplaced = errors.New("it is being replaced again and again")

// open looks before it opens, and afterwards whether it opened what it had looked at. Another
// process may have renamed a new file into its place: then once more.
func open(path string, flag int, perm fs.FileMode, look func(string) (fs.FileInfo, error)) (*os.File, error) {
	for range 10 {
		f, err := openSeen(path, flag, perm, look)
		if !errors.Is(err, errReplaced) {
			return f, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: errReplaced}
}

func openSeen(path string, flag int, perm fs.FileMode, look func(string) (fs.FileInfo, error)) (*os.File, error) {
	seen, err := look(path)
	if errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0 {
		f, err := os.OpenFile(path, flag|os.O_EXCL, perm) // which follows no link and opens nothing that is there
		if errors.Is(err, fs.ErrExist) && flag&os.O_EXCL == 0 {
			err = errReplaced
		}
		return f, err
	}
	if err == nil {
		err = CheckRegular(path, seen.Mode())
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(seen, opened) {
		err = errReplaced
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readAll reads and closes what was opened.
func readAll(path string, f *os.File, limit int64, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close() // nothing was written
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = &fault.Error{Path: path, Kind: fault.ErrBad, Reason: fmt.Sprintf("has more than %d bytes", limit)}
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}
