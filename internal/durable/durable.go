// Package durable writes files so that a crash or a full disk leaves either the
// old content or the new, never a mixture, and so that what it reported written is
// still there after a power cut.
//
// It also knows what may be opened, who may write, and what file systems lack: Open, TryLock,
// Sync. It knows nothing of what the files mean. Large, many-file states are the business of
// package checkpoint, which uses SyncDir.
package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jem/internal/failpoint"
)

// tempInfix stands between a file's name and the process id in the name of its temporary file.
const tempInfix = ".tmp-"

// WriteFile replaces the file at path by data, see Replace.
func WriteFile(path string, data []byte) error {
	return Replace(path, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// Replace replaces the file at path by what write writes: a temporary file beside it is written
// and fsynced, renamed over path, and the folder is fsynced. On error the old content
// stays and the temporary file is removed. Errors keep their *os.PathError or
// *os.LinkError, so that errors.Is(err, syscall.ENOSPC) works.
//
// One writer per path at a time: the temporary name holds the process id only.
func Replace(path string, write func(io.Writer) error) error {
	temp, dir := temporary(path), filepath.Dir(path)
	err := failpoint.Around("file.write", path, func() error { return writeSynced(temp, write) })
	if err == nil {
		err = failpoint.Around("file.rename", path, func() error { return os.Rename(temp, path) })
	}
	if err != nil {
		// The first error is the cause; a failed removal only leaves a hidden file.
		_ = os.Remove(temp)
		return named(err, temp, path)
	}
	return failpoint.Around("file.syncdir", dir, func() error { return SyncDir(dir) })
}

// Swap replaces the file at path by data in one piece, as WriteFile does, but asks nothing of the disk: what is
// written again in a moment need not survive a power cut.
func Swap(path string, data []byte) error {
	temp := temporary(path)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := writeNew(temp, data)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // the first error is the cause
		return named(err, temp, path)
	}
	return nil
}

// named gives an error about a temporary file the name of the file that it was to become.
func named(err error, temp, path string) error {
	of := (*os.PathError)(nil)
	if !errors.As(err, &of) || of.Path != temp {
		return err
	}
	why := of.Err
	if errors.Is(why, fs.ErrNotExist) {
		why = noFolder(filepath.Dir(path))
	}
	return &os.PathError{Op: "write", Path: path, Err: why}
}

// noFolder is the lack of the folder that a file was to be written into.
type noFolder string

func (d noFolder) Error() string { return "there is no folder " + string(d) }

func (noFolder) Unwrap() error { return fs.ErrNotExist }

// temporary is the name of this process's temporary file for path.
func temporary(path string) string {
	dir, name := filepath.Split(path)
	return filepath.Join(dir, fmt.Sprintf(".%s%s%d", name, tempInfix, os.Getpid()))
}

// Original is the name that a temporary file of WriteFile was to get, if name is the name of one.
func Original(name string) (original string, temporary bool) {
	at := strings.LastIndex(name, tempInfix)
	if at < 2 || name[0] != '.' {
		return "", false
	}
	id := name[at+len(tempInfix):]
	n, err := strconv.Atoi(id)
	return name[1:at], err == nil && n > 0 && strconv.Itoa(n) == id
}

// writeSynced leaves what write writes at path, on the disk itself. The temporary file of a
// killed process with the same id (containers number from 1 again) makes way; a link of that
// name is not written through.
func writeSynced(path string, write func(io.Writer) error) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(f, 1<<16)
	if err = write(b); err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = Sync(f)
	}
	return errors.Join(err, f.Close())
}
