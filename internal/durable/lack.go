package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"jem/internal/failpoint"
)

// lacks reports whether an error says that a file system doesn't have an operation, as network
// and user-space ones lack locks and fsync, and not that the operation went wrong.
func lacks(err error) bool {
	for _, e := range []error{errors.ErrUnsupported, syscall.EINVAL, syscall.EPERM, syscall.ENOLCK} { // ErrUnsupported is ENOSYS, ENOTSUP and EOPNOTSUPP
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Sync flushes a file to the disk. Where the file system has no such thing the process goes on
// without, and tells so once: what is written may then be lost in a power cut.
func Sync(f *os.File) error { return flush(f, filepath.Dir(f.Name())) }

// flush is Sync of a file or folder in a folder that is told.
func flush(f *os.File, folder string) error {
	err := failpoint.Pass("fs.sync")
	if err == nil {
		err = f.Sync()
	}
	if err == nil || !lacks(err) {
		return err
	}
	lacking.note("sync", fmt.Sprintf("%s: the file system has no fsync (%v): what is written there may be lost in a power cut", folder, cause(err)))
	return nil
}

// cause is an error without the operation and path that os adds.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Tell makes tell hear, in a sentence each, what file systems are found to lack; once for each
// kind of operation in a process, what was found before included.
func Tell(tell func(string)) { lacking.hear(tell) }

var lacking lack

// lack is what has been found. It is the process's, since what it is about shows in the deepest
// corners, and is no matter of theirs.
type lack struct {
	mu    sync.Mutex
	known map[string]bool
	found []string // and not told
	tell  func(string)
}

func (l *lack) hear(tell func(string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell = tell
	l.flush()
}

func (l *lack) note(kind, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known[kind] {
		return
	}
	if l.known == nil {
		l.known = map[string]bool{}
	}
	l.known[kind] = true
	l.found = append(l.found, text)
	l.flush()
}

func (l *lack) flush() {
	if l.tell == nil {
		return
	}
	for _, text := range l.found {
		l.tell(text)
	}
	l.found = nil
}
