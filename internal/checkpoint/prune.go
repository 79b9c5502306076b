package checkpoint

import (
	"fmt"
	"slices"
)

// Policy says which checkpoints are kept. The newest always is.
type Policy struct {
	KeepLast  int   // so many newest ones; below 1: 1
	KeepEvery int   // those whose step is a multiple of it, 0 not among them; 0: none
	Keep      []int // these steps, of the best evaluation for example
}

// keeps reports whether the policy keeps a step that has so many newer ones.
func (p Policy) keeps(step, newer int) bool {
	return newer < max(1, p.KeepLast) ||
		p.KeepEvery > 0 && step > 0 && step%p.KeepEvery == 0 ||
		slices.Contains(p.Keep, step)
}

// Prune deletes what the policy does not keep, oldest first, and returns the deleted
// ones. The newest checkpoint is verified before anything is deleted; if it is damaged,
// nothing is.
func (s *Store) Prune(p Policy) (deleted []Entry, err error) {
	entries, err := List(s.dir)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	if err := Verify(entries[len(entries)-1].Path, nil); err != nil {
		return nil, fmt.Errorf("prune checkpoints: nothing deleted: %w", err)
	}
	for i, e := range entries {
		if p.keeps(e.Step, len(entries)-1-i) {
			continue
		}
		if err := s.remove(e.Path); err != nil {
			return deleted, fmt.Errorf("prune checkpoints: %w", err)
		}
		deleted = append(deleted, e)
	}
	return deleted, nil
}

// Discard takes the checkpoints of later steps than step out of the way, for a run that
// goes on from there: sound ones are deleted, newest first, damaged and unusable ones, which
// somebody may want to look into, get the suffix .damaged. It returns the deleted ones.
func (s *Store) Discard(step int) (deleted []Entry, err error) {
	entries, err := List(s.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(entries) {
		if e.Step <= step {
			break
		}
		if Verify(e.Path, s.Usable) == nil {
			err = s.remove(e.Path)
			deleted = append(deleted, e)
		} else {
			err = s.setAside(e.Path)
		}
		if err != nil {
			return deleted, fmt.Errorf("discard checkpoints: %w", err)
		}
	}
	return deleted, s.disk.syncDir(s.dir)
}

// setAside renames a damaged checkpoint, replacing an earlier one of the step.
func (s *Store) setAside(path string) error {
	to := path + damagedSuffix
	if err := s.disk.removeAll(to); err != nil {
		return err
	}
	return s.disk.rename(path, to)
}

// remove first takes the name away, so that a half-deleted folder is never taken for
// a damaged checkpoint.
func (s *Store) remove(path string) error {
	temp := s.aside(path, tempSuffix)
	if err := s.disk.removeAll(temp); err != nil {
		return err
	}
	if err := s.disk.rename(path, temp); err != nil {
		return err
	}
	return s.disk.removeAll(temp)
}
