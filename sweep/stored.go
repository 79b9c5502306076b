package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"jem/config"
	"jem/config/settings"
	"jem/internal/claim"
	"jem/internal/durable"
	failure "jem/internal/fault"
	"jem/predict"
	"jem/train/journal"
)

// folder is what a sweep's output folder is known by.
var folder = claim.Kind{Of: "jem sweep", Marker: ".jem-sweep", Own: func(_, _ string, marked bool) bool { return marked }}

// States of a run.
const (
	Waiting    = "waiting"    // not begun
	Unfinished = "unfinished" // interrupted
	Done       = "done"
	Diverged   = "diverged" // gave up, see guard.budget; it would again
	Failed     = "failed"   // for another reason; the next sweep tries it once more
)

// ending is how a run stands, and if it didn't come to its end why.
type ending struct {
	State string `json:"state"`
	Why   string `json:"why,omitempty"`
}

// maxStored bounds a sweep.json that is read.
const maxStored = 64 << 20

// read takes in the endings of an earlier start, and tells in what its cases were others.
func (s *Sweep) read() error {
	path := filepath.Join(s.o.Folder, "sweep.json")
	text, err := durable.ReadFile(path, maxStored)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var earlier struct {
		Cases []struct {
			Name string `json:"case"`
			Runs []struct {
				Run string `json:"run"`
				ending
			} `json:"runs"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(text, &earlier); err != nil {
		return &failure.Error{Path: path, Kind: failure.ErrBad, Reason: "is not what a sweep writes; remove it, and what the runs came to is read anew", Err: err}
	}
	var before []string
	for _, c := range earlier.Cases {
		before = append(before, c.Name)
		for _, r := range c.Runs {
			if r.State == Done || r.State == Diverged {
				s.endings[r.Run] = r.ending
			}
		}
	}
	s.tellChanges(before)
	return nil
}

// tellChanges tells which cases are new, and which are no longer asked for.
func (s *Sweep) tellChanges(before []string) {
	var now, added []string
	for _, c := range s.plan.Cases {
		if now = append(now, c.Name); !slices.Contains(before, c.Name) {
			added = append(added, c.Name)
		}
	}
	gone := slices.DeleteFunc(before, func(name string) bool { return slices.Contains(now, name) })
	if len(added)+len(gone) == 0 {
		return
	}
	text := "the sweep in " + failure.Printable(s.o.Folder) + " was another:"
	if len(added) > 0 {
		text += " new are " + strings.Join(added, ", ") + ";"
	}
	if len(gone) > 0 {
		text += " no longer asked for, kept but not in the table, are " + strings.Join(gone, ", ") + ";"
	}
	s.tell(strings.TrimSuffix(text, ";"))
}

// agree holds the runs that are there against what is asked for, before any is trained, and forgets the end of those
// that have become longer. Errors: a *settings.Error with all that differs.
func (s *Sweep) agree() error {
	var faults []settings.Fault
	for _, r := range s.plan.Runs() {
		dir := s.path(r)
		if !journal.IsRun(dir) {
			delete(s.endings, r.Name)
			continue
		}
		saved, err := predict.RunConfig(dir)
		if err != nil {
			return err
		}
		saved.Data.Dir = r.Config.Data.Dir // where images lie is left open
		standing, _, err := journal.Stand(dir)
		if err != nil {
			return err
		}
		var differs *settings.Error
		if errors.As(config.CheckResume(saved, r.Config, standing.Step, s.o.AllowChanges), &differs) {
			for _, f := range differs.Faults {
				f.Where = r.Name
				faults = append(faults, f)
			}
		}
		if len(settings.Diff(saved, r.Config)) > 0 {
			delete(s.endings, r.Name)
		}
	}
	if len(faults) > 0 {
		faults = append(faults, settings.Fault{Problem: fmt.Sprintf("another sweep lies in %s: name another folder for this one", failure.Printable(s.o.Folder))})
		return &settings.Error{Faults: faults}
	}
	return nil
}
