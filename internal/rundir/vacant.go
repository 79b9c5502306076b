package rundir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"jem/internal/checkpoint"
	"jem/internal/claim"
	"jem/internal/durable"
	"jem/internal/fault"
)

// unfinished is the folder of a run whose Create died before its end: marked, and with
// nothing in it but what Create makes.
var unfinished = claim.Kind{Of: "a run", Marker: ".jem-run", Own: func(folder, name string, marked bool) bool {
	p := Path(folder)
	switch path := p.join(name); path {
	case p.join(lockName), durable.LeaseOf(p.join(lockName)), p.join(holderName), p.Env(), p.Data(), p.Metrics(), p.Config():
		return marked
	case p.Samples(), p.Checkpoints():
		entries, err := os.ReadDir(path)
		return marked && err == nil && len(entries) == 0
	}
	return false
}}

// Vacant looks whether a run may be started in a folder: it is not there, is empty, or holds
// a run whose Create died before its end. Nothing is touched. Errors: ErrExists,
// *LockedError, *claim.ForeignError, or of the file system.
func Vacant(path string) error { return describe(path, Path(filepath.Clean(path)).vacant()) }

func (p Path) vacant() error {
	checked := claim.Check(string(p), unfinished)
	// After that, or what another process has just begun would be called a stranger's.
	if _, err := os.Stat(p.Config()); err == nil && p.ours() {
		if checked = p.busy(); checked == nil {
			checked = ErrExists
		}
	}
	return checked
}

// describe says what was to be done, where the error itself doesn't.
func describe(path string, err error) error {
	if err == nil || errors.Is(err, claim.ErrRefused) {
		return err
	}
	return fmt.Errorf("create run folder %s: %w", path, err)
}

// ours reports whether a configuration in the folder is a run's, not one that happens to be
// called so: marked, or, since markers are younger than runs, beside an env.json or a
// checkpoint of a run.
func (p Path) ours() bool {
	if claim.Marked(string(p), unfinished) {
		return true
	}
	if starts, err := ReadEnv(p.Env()); err == nil && len(starts) > 0 {
		return true
	}
	saved, err := checkpoint.List(p.Checkpoints())
	return err == nil && slices.ContainsFunc(saved, func(e checkpoint.Entry) bool { return checkpoint.Complete(e.Path) })
}

// genuine refuses a folder that came from elsewhere with links or pipes where a run writes:
// what it cut off or removed would be outside the folder, and a pipe would be waited for.
func (p Path) genuine() error {
	for _, path := range []string{p.join(lockName), p.Metrics()} {
		info, err := os.Lstat(path)
		if err == nil {
			err = durable.CheckRegular(path, info.Mode())
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, path := range []string{p.Samples(), p.Checkpoints()} {
		info, err := os.Lstat(path)
		if err == nil && !info.IsDir() {
			return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "is a link or file where a run's own folder is expected: put the folder here"}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// busy is a *LockedError if a process has the run's lock; nil otherwise, as far as one can
// tell without taking it.
func (p Path) busy() error {
	if durable.Locked(p.join(lockName)) {
		return &LockedError{string(p), readHolder(p.join(holderName))}
	}
	return nil
}
