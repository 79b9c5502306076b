package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"jem/internal/failpoint"
)

// ErrLocked says that another process has the lock.
var ErrLocked = errors.New("another process has the lock")

// Lock is a lock on a file, held by this process. The system gives it back when the process
// ends, however that happens; on a file system without locks a lease stands in, see lease.
type Lock struct {
	path  string
	flock *flock.Flock
	lease *lease // nil where the file system has locks
}

// TryLock takes the lock on the file at path, which is made if it isn't there, of the mode that
// the umask leaves, and stays. Errors: ErrLocked, *fault.Error for what is no regular file, or
// of the file system.
func TryLock(path string) (*Lock, error) {
	f, err := OpenOwn(path, os.O_RDONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	l := &Lock{path: path, flock: flock.New(path, flock.SetPermissions(0o666))}
	ok, err := l.try()
	if err == nil && ok {
		ok = !leased(LeaseOf(path)) // held by a machine that mounts the file system without locks
	}
	if err != nil && lacks(err) {
		lacking.note("lock", fmt.Sprintf("%s: the file system has no locks (%v): %s, a file that is kept fresh, stands in", path, cause(err), filepath.Base(LeaseOf(path))))
		l.lease, err = takeLease(LeaseOf(path))
		ok = err == nil
	}
	switch {
	case err != nil:
		return nil, errors.Join(err, l.flock.Close())
	case !ok:
		return nil, errors.Join(ErrLocked, l.flock.Close())
	}
	return l, nil
}

func (l *Lock) try() (bool, error) {
	if err := failpoint.Pass("fs.lock"); err != nil {
		return false, err
	}
	return l.flock.TryLock()
}

// WaitLock is TryLock that waits while another process has the lock, until ctx is done.
func WaitLock(ctx context.Context, path string) (*Lock, error) {
	for {
		l, err := TryLock(path)
		if !errors.Is(err, ErrLocked) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// Locked reports whether a process has the lock on the file at path, as far as one can tell
// without making files.
func Locked(path string) bool {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return false
	}
	l := &Lock{path: path, flock: flock.New(path)}
	defer l.flock.Close() // nothing was written
	free, err := l.try()
	if err != nil && lacks(err) {
		return leased(LeaseOf(path))
	}
	return err == nil && (!free || leased(LeaseOf(path)))
}

// Check is ErrLocked if another process has taken the lock over: this one had not kept its lease
// fresh, as when the machine slept. A lock of the system's is never lost.
func (l *Lock) Check() error {
	if l.lease == nil {
		return nil
	}
	return l.lease.check()
}

// Release gives the lock back. The file stays: removing it could take away one that the next
// process already holds. Releasing again does nothing.
func (l *Lock) Release() error {
	err := l.flock.Close()
	if l.lease != nil {
		err = errors.Join(err, l.lease.release())
		l.lease = nil
	}
	return err
}
