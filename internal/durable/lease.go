package durable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// A lease is touched every beat, and counts as left behind when it has not been for stale: a
// dead process's, or one's that slept. Network file systems show times up to a minute late.
// Variables for tests.
var (
	beat  = 20 * time.Second
	stale = 5 * time.Minute
)

// lease is a lock where the file system has none: a file that one process alone can make, and
// keeps fresh as long as it lives. Times are compared with each other only as the file system
// gives them, so that the clocks of machines don't matter.
type lease struct {
	path string
	text []byte // whose it is, in a line for people; no two are alike
	stop chan struct{}
	done sync.WaitGroup
}

// LeaseOf is the name or path of what may lie beside a lock file on a file system without locks.
func LeaseOf(lock string) string { return lock + ".held" }

// takeLease makes the file, or takes over one that was left behind. Errors: ErrLocked, or of the
// file system.
func takeLease(path string) (*lease, error) {
	host, _ := os.Hostname() // "" is as good an answer
	l := &lease{path: path, text: fmt.Appendf(nil, "process %d on %s since %s\n", os.Getpid(), host, time.Now().Format(time.RFC3339Nano)), stop: make(chan struct{})}
	err := l.make()
	if errors.Is(err, fs.ErrExist) {
		if leased(path) {
			return nil, ErrLocked
		}
		if err = l.clear(); err == nil {
			err = l.make()
		}
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) { // another was quicker
			err = ErrLocked
		}
	}
	if err != nil {
		return nil, err
	}
	l.done.Go(l.keep)
	return l, nil
}

func (l *lease) make() error { return writeNew(l.path, l.text) }

// writeNew makes a file.
func writeNew(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// clear takes a lease out of the way that was left behind. It is renamed before it is removed:
// of two processes that found it so one succeeds.
func (l *lease) clear() error {
	old, err := ReadOwn(l.path, maxLease)
	if err != nil {
		return err
	}
	aside := temporary(l.path)
	if err := os.Rename(l.path, aside); err != nil {
		return err
	}
	now, err := ReadOwn(aside, maxLease)
	if err == nil && !bytes.Equal(now, old) {
		return errors.Join(ErrLocked, os.Rename(aside, l.path)) // another had cleared it, and made its own
	}
	return errors.Join(err, os.Remove(aside))
}

// maxLease bounds the file.
const maxLease = 1 << 12

// leased reports whether there is a lease that is kept fresh; what can't be known is one.
func leased(path string) bool {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		return true
	}
	now, err := fileTime(path)
	return err != nil || now.Sub(info.ModTime()) < stale
}

// fileTime is the present as the file system gives it to a file beside path.
func fileTime(path string) (time.Time, error) {
	probe := temporary(path)
	if err := writeNew(probe, []byte{'\n'}); err != nil {
		return time.Time{}, err
	}
	info, err := os.Lstat(probe)
	if err := errors.Join(err, os.Remove(probe)); err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

// keep touches the file: by writing, since a time that is set comes from this machine's clock.
func (l *lease) keep() {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			if l.check() == nil {
				_ = l.touch() // once more at the next tick
			}
		}
	}
}

func (l *lease) touch() error {
	f, err := OpenOwn(l.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(l.text, 0)
	return errors.Join(err, f.Close())
}

func (l *lease) check() error {
	text, err := ReadOwn(l.path, maxLease)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(text, l.text) {
		return ErrLocked
	}
	return err
}

func (l *lease) release() error {
	close(l.stop)
	l.done.Wait()
	if l.check() != nil {
		return nil // another's by now
	}
	return os.Remove(l.path)
}
