package experiments

import (
	"fmt"
	"math"

	"jem/internal/checkpoint"
	"jem/internal/rundir"
	"jem/train/journal"
)

// stopped is the training as somebody would have it who stops when the cross-entropy of the held-out
// images is least: the training at that checkpoint, or that of the same seed with fewer steps and a
// schedule of its own, whichever is better. A training that has not ended is a *NotRun.
func stopped(l *Lab, t Training, shorter string) (Training, error) {
	candidates := []Training{t}
	if shorter != "" {
		all, err := lookup(shorter).trainings(l.Scale, l.made)
		if err != nil {
			return t, err
		}
		candidates = append(candidates, all[t.Seed-1])
	}
	best, least := t, math.Inf(1)
	for _, c := range candidates {
		if err := l.finished(c); err != nil {
			return t, err
		}
		held, err := heldOut(l, c)
		if err != nil {
			return t, err
		}
		for _, h := range held {
			if h.kept && h.nll < least {
				best, least = c, h.nll
				best.step = h.step
			}
		}
	}
	if math.IsInf(least, 1) {
		return t, notRun("%s kept no checkpoint that was evaluated on held-out images", t.Run.Name)
	}
	return best, nil
}

// judgement is what held-out images said of a training after some step.
type judgement struct {
	step          int
	accuracy, nll float64
	kept          bool // the checkpoint is there
}

// heldOut lists a training's evaluations on its held-out images, in the order of steps.
func heldOut(l *Lab, t Training) (all []judgement, err error) {
	run := rundir.Path(t.path(l.Out))
	history, _, err := journal.ReadHistory(run)
	if err != nil {
		return nil, err
	}
	entries, err := checkpoint.List(run.Checkpoints())
	if err != nil {
		return nil, err
	}
	kept := map[int]bool{}
	for _, e := range entries {
		kept[e.Step] = true
	}
	for _, r := range history.Current() {
		if r.Kind == journal.KindEval+"valid" {
			all = append(all, judgement{r.Step, r.Values["accuracy"], r.Values["loss"], kept[r.Step]})
		}
	}
	return all, nil
}

// ended is the outcome of a training that has ended, well or not, else a *NotRun.
func (l *Lab) ended(t Training) (Outcome, error) {
	o, ended, err := l.outcome(t)
	if err == nil && !ended {
		err = notRun("%s is not trained yet", t.Run.Name)
	}
	return o, err
}

// finished is nil for a training that came to its end, else a *NotRun or an error of the file system.
func (l *Lab) finished(t Training) error {
	o, err := l.ended(t)
	if err == nil && o.Diverged != "" {
		err = notRun("%s diverged: %s", t.Run.Name, o.Diverged)
	}
	return err
}

// checkpoint is the folder of the training's network; empty: its newest.
func (t Training) checkpoint(out string) (string, error) {
	if t.step == 0 {
		return "", nil
	}
	entries, err := checkpoint.List(rundir.Path(t.path(out)).Checkpoints())
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.Step == t.step {
			return e.Path, nil
		}
	}
	return "", fmt.Errorf("%s: no checkpoint of step %d", t.Folder(), t.step)
}

// measuredAs names the training in the files of its measurements.
func (t Training) measuredAs() string {
	if t.step == 0 {
		return t.Folder()
	}
	return fmt.Sprintf("%s-step%d", t.Folder(), t.step)
}
