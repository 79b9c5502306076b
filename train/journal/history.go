package journal

import (
	"iter"
	"maps"
	"math"
	"slices"

	"jem/internal/chart"
	"jem/internal/rundir"
)

// Kinds of records in metrics.jsonl.
const (
	KindTrain    = "train"    // means over the steps since the record before
	KindEval     = "eval-"    // followed by the split
	KindRollback = "rollback" // what was recorded of steps after its value "to" has been given up
	kindNote     = "note"
)

// History is what a run has recorded, in the order of writing.
type History []rundir.Record

// ReadHistory reads the records of a run, of one in progress, too. Lines that are none are
// passed over, and told in the notes. Errors: those of rundir.ReadMetrics.
func ReadHistory(p rundir.Path) (h History, notes []string, err error) {
	h, note, err := rundir.ReadMetrics(p.Metrics())
	if note != "" {
		notes = []string{note}
	}
	return h, notes, err
}

// Current leaves out what was recorded of steps that were given up: those after the step that a
// later rollback went back to, and, should its record be lost, those that were trained again
// later. The records of rollbacks stay.
func (h History) Current() History {
	var kept History
	limit := math.Inf(1) // the last step that nothing later gave up
	for _, r := range slices.Backward(h) {
		step := float64(r.Step)
		if r.Kind == KindRollback {
			if to, ok := r.Values["to"]; ok && to >= 0 {
				limit = min(limit, to)
			}
		} else if step > limit {
			continue
		} else if r.Kind == KindTrain {
			limit = step - 1
		}
		kept = append(kept, r)
	}
	slices.Reverse(kept)
	return kept
}

// Hours are those of the recorded steps. Steps that a rollback gave up count: they took their time. What
// comes between steps, evaluations and pictures, doesn't.
func (h History) Hours() float64 {
	seconds := 0.0
	for steps, each := range h.spans() {
		seconds += each * float64(steps)
	}
	return seconds / 3600
}

// spans are the numbers of steps that records of training tell of, with the mean seconds of each.
func (h History) spans() iter.Seq2[int, float64] {
	return func(yield func(steps int, seconds float64) bool) {
		last := 0
		for _, r := range h {
			switch {
			case r.Kind == KindRollback:
				last = int(max(0, r.Values["to"]))
			case r.Kind == KindTrain:
				if n := r.Step - last; n > 0 && !yield(n, r.Values["step_seconds"]) {
					return
				}
				last = r.Step
			}
		}
	}
}

// Kinds are the kinds of records that hold values, sorted.
func (h History) Kinds() []string {
	found := map[string]bool{}
	for _, r := range h {
		if len(r.Values) > 0 {
			found[r.Kind] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Metrics are the names of the values in records of a kind, sorted.
func (h History) Metrics(kind string) []string {
	found := map[string]bool{}
	for _, r := range h {
		if r.Kind == kind {
			for name := range r.Values {
				found[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Line is the curve of a value over the steps, in the order of the records.
func (h History) Line(name, kind, value string) chart.Line {
	l := chart.Line{Name: name}
	for _, r := range h {
		if v, ok := r.Values[value]; ok && r.Kind == kind {
			l.Add(float64(r.Step), v)
		}
	}
	return l
}

// latest is the last record of a kind.
func (h History) latest(kind string) (rundir.Record, bool) {
	for _, r := range slices.Backward(h) {
		if r.Kind == kind {
			return r, true
		}
	}
	return rundir.Record{}, false
}

func (h History) count(kind string) (n int) {
	for _, r := range h {
		if r.Kind == kind {
			n++
		}
	}
	return n
}
