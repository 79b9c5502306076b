package checkpoint

import (
	"io"
	"os"

	"jem/internal/durable"
)

// disk is all that a Store does to the file system. The one other implementation than
// osDisk fails on purpose (failpoint.go).
type disk interface {
	mkdirAll(path string) error
	mkdir(path string) error          // fails if the folder above is gone
	create(path string) (file, error) // fails if the file exists
	rename(from, to string) error
	syncDir(path string) error
	removeAll(path string) error
}

// file is a file being written.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

type osDisk struct{}

func (osDisk) mkdirAll(path string) error { return os.MkdirAll(path, 0o777) }
func (osDisk) mkdir(path string) error    { return os.Mkdir(path, 0o777) }

func (osDisk) create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err // not f: a nil *os.File in an interface is not nil
	}
	return osFile{f}, nil
}

// osFile is a file of a file system that may have no fsync.
type osFile struct{ *os.File }

// Sync makes what was written durable.
func (f osFile) Sync() error { return durable.Sync(f.File) }

func (osDisk) rename(from, to string) error { return os.Rename(from, to) }
func (osDisk) syncDir(path string) error    { return durable.SyncDir(path) }
func (osDisk) removeAll(path string) error  { return os.RemoveAll(path) }
