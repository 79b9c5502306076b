package toy

import (
	"math"

	"jem/model"
	"jem/train"
	"jem/train/step"
)

// told tells of steps.
type told struct {
	train.Observers // none: nothing else is heard
	m               *maker
	what            string
}

// Step implements train.Observer.
func (t *told) Step(s *step.Record) error {
	t.m.step = s.Step
	if t.m.watch != nil {
		t.m.watch(t.what, s.Step, t.m.steps())
	}
	return nil
}

// watch keeps the record and looks at the density now and then.
type watch struct {
	train.Observers // none: nothing else is heard
	m               *maker
	jem             *model.JEM
}

// Step implements train.Observer.
func (w *watch) Step(s *step.Record) error {
	if err := (&told{m: w.m, what: "JEM"}).Step(s); err != nil {
		return err
	}
	c := &w.m.result.Curve
	*c = append(*c, Record{Step: s.Step, Loss: s.L, LogPData: s.LogPxPos, LogPSamples: s.LogPxNeg, Gap: s.Gap(), Accuracy: s.Accuracy})
	// The first steps change most.
	n := len(w.m.result.Snapshots)
	share := float64(n) / (snapshotCount - 1)
	if s.Step >= int(math.Round(share*share*float64(w.m.steps()))) {
		return w.snapshot(s.Step)
	}
	return nil
}

func (w *watch) snapshot(step int) error {
	g, _, _, err := w.m.density(w.jem, snapshotSide)
	w.m.result.Snapshots = append(w.m.result.Snapshots, Snapshot{step, g})
	return err
}
