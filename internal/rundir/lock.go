package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"jem/internal/durable"
	"jem/internal/fault"
)

// Holder is who has a run folder's lock.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"` // a shared file system has processes of other machines
	Start time.Time `json:"start"`
}

// LockedError says that another process writes to the run folder.
type LockedError struct {
	Path   string
	Holder Holder // zero if it had not yet said who it is
}

func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("%s is in use by another process", e.Path)
	}
	return fmt.Sprintf("%s is in use by process %d on %s since %s", e.Path, e.Holder.PID, fault.Short(e.Holder.Host),
		e.Holder.Start.Local().Format("2006-01-02 15:04:05"))
}

const (
	lockName   = ".lock"
	holderName = ".lock.json"
)

// lock is the lock of a run folder, held. The holder's file is only for the message to others.
// It is a file of its own because Windows lets no one read a locked one.
type lock struct {
	*durable.Lock
	path   Path
	folder fs.FileInfo // when it was taken
	holder string
}

func acquire(p Path) (*lock, error) {
	held, err := durable.TryLock(p.join(lockName))
	l := &lock{Lock: held, path: p, holder: p.join(holderName)}
	if errors.Is(err, durable.ErrLocked) {
		return nil, l.another()
	}
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	host, _ := os.Hostname() // "" is as good an answer
	b, err := json.Marshal(Holder{os.Getpid(), host, time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		l.folder, err = os.Stat(string(p))
	}
	if err == nil {
		err = durable.WriteFile(l.holder, append(b, '\n'))
	}
	if err != nil {
		return nil, errors.Join(err, l.Release())
	}
	return l, nil
}

// readHolder returns what the holder says of itself, or nothing: the lock is what
// counts, and the holder may be just about to write.
func readHolder(path string) (h Holder) {
	b, err := durable.ReadOwn(path, 64<<10)
	if err != nil || json.Unmarshal(b, &h) != nil {
		return Holder{}
	}
	return h
}

// another is the error that somebody else has the lock.
func (l *lock) another() error { return &LockedError{string(l.path), readHolder(l.holder)} }

// check is a *LockedError if somebody else has taken the lock over, see durable.Lock, and says so
// where the folder is no longer at its path, so that nothing is begun anew there.
func (l *lock) check() error {
	now, err := os.Stat(string(l.path))
	if errors.Is(err, fs.ErrNotExist) || err == nil && l.folder != nil && !os.SameFile(now, l.folder) {
		return &fs.PathError{Op: "write into", Path: string(l.path), Err: errMoved}
	}
	if err != nil {
		return err
	}
	return l.held()
}

var errMoved = errors.New("the run's folder was renamed, moved or removed while it was written to; go on with it where it is now")

func (l *lock) held() error {
	err := l.Check()
	if errors.Is(err, durable.ErrLocked) {
		return l.another()
	}
	return err
}

// release gives the lock back, unless somebody else has it.
func (l *lock) release() error {
	if l.held() != nil {
		return l.Release()
	}
	return errors.Join(remove(l.holder), l.Release())
}

// Held tells who writes to a run's folder, without taking it. sure is true where a process has the lock. by is what the
// last one to have it says of itself: with sure, the one that has it; without, one that never gave it back, since it was
// killed, or since locks of its machine don't show on this one. Zero: it was given back.
func (p Path) Held() (sure bool, by Holder) {
	sure = durable.Locked(p.join(lockName))
	return sure, readHolder(p.join(holderName))
}
