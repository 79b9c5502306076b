package journal

import (
	"errors"
	"io/fs"
	"syscall"
	"time"
)

// What people look at, the report and pictures, never ends a run: what can't be read is left
// out, and what can't be written because something is in the way is left as it is, with a note.
// A disk that is full or fails is trouble for all that follows, and ends the run.

// unless turns an error of writing what is only looked at into a note, unless the disk is to blame.
func (j *Journal) unless(err error) error {
	if err == nil || !inTheWay(err) {
		return err
	}
	j.tell(err.Error())
	return nil
}

// inTheWay reports whether a file can't be written because of what is, or isn't, in its place.
func inTheWay(err error) bool {
	for _, target := range []error{fs.ErrExist, fs.ErrNotExist, fs.ErrPermission, syscall.EISDIR, syscall.ENOTDIR} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// tell tells the user a sentence, if it isn't one that has been told.
func (j *Journal) tell(notes ...string) {
	for _, n := range notes {
		if j.told[n] || j.o.Notes == nil {
			continue
		}
		j.told[n] = true
		j.o.Notes([]string{n})
	}
}

// reportShare is the part of a run's time that its report may take while it goes on.
const reportShare = 0.01

// pages spares a run from spending its time on its report, which takes the longer the more has
// been recorded.
type pages struct {
	begun       time.Time
	spent, last time.Duration // on all reports, on the latest
}

// due reports whether there is time for another report.
func (p *pages) due(now time.Time) bool {
	return float64(p.spent+p.last) <= reportShare*float64(now.Sub(p.begun))
}

// refresh writes the report of a run in progress, if it takes no more than its share of the time.
func (j *Journal) refresh() error {
	begin := time.Now()
	if !j.pages.due(begin) {
		return nil
	}
	notes, err := Report(j.Path)
	j.tell(notes...)
	j.pages.last = time.Since(begin)
	j.pages.spent += j.pages.last
	return j.unless(err)
}
