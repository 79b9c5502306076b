package experiments

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jem/backend"
	"jem/config"
	"jem/internal/claim"
	"jem/internal/rundir"
	"jem/train"
	"jem/train/session"
)

// Options say where and on what experiments run.
type Options struct {
	Scale     Scale
	Out       string // folder of runs, measurements and tables
	DataDir   string // of the published images; empty: the usual places, or generated ones at Smoke
	Device    config.Device
	OnlyReady bool // train nothing: tables of what has been trained

	MeasureRates bool // for Plan: time what hasn't been timed instead of estimating it

	// Open opens the device. The lab closes it.
	Open func(config.Device) (backend.Device, error)
	// Watch returns an observer of a training of so many steps; nil: none.
	Watch func(name string, steps int) train.Observer
	// Tell hears sentences for the user; nil: nobody.
	Tell func(text string)
}

// Lab trains and measures. What it has once done lies in the output folder and is not
// done again; what it was doing when it was killed goes on.
type Lab struct {
	Options
	ctx  context.Context
	made bool   // the images are generated
	open opened // the network that was measured last
}

// NewLab prepares the output folder, which is new, empty or an earlier lab's, and, at Smoke
// without a data folder, generated images in it.
func NewLab(ctx context.Context, o Options) (*Lab, error) {
	l := &Lab{Options: o, ctx: ctx}
	if l.Tell == nil {
		l.Tell = func(string) {}
	}
	if err := claim.Take(o.Out, folder); err != nil {
		return nil, err
	}
	for _, dir := range []string{"runs", "measures"} {
		if err := os.MkdirAll(filepath.Join(o.Out, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if l.made = o.Scale == Smoke && o.DataDir == ""; !l.made {
		return l, nil
	}
	l.DataDir = filepath.Join(o.Out, "toy")
	return l, writeToy(l.DataDir)
}

// Close gives the device back.
func (l *Lab) Close() error { return l.open.close() }

// outcome of a training, if it has ended.
func (l *Lab) outcome(t Training) (Outcome, bool, error) { return readOutcome(t.path(l.Out)) }

// Train trains what has not been trained yet, or goes on where it was stopped. A run that
// gave up after too many divergences has ended, too: that is its outcome.
func (l *Lab) Train(t Training) error {
	if _, ended, err := l.outcome(t); ended || err != nil {
		return err
	}
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if err := l.open.close(); err != nil { // its memory is needed
		return err
	}
	t.Config.Data.Dir, t.Config.Device = l.DataDir, l.Device
	if t.Config.Train.Init != "" {
		before, err := l.before(t)
		if err != nil {
			return err
		}
		t.Config.Train.Init = before.path(l.Out)
	}
	if err := l.train(t); err != nil {
		return fmt.Errorf("train %s: %w", t.Folder(), err)
	}
	return nil
}

// before is the training that another begins with, which must have ended well.
func (l *Lab) before(t Training) (Training, error) {
	all, err := lookup(t.Run.Begins).trainings(l.Scale, l.made)
	if err != nil {
		return t, err
	}
	first := all[t.Seed-1]
	return first, l.finished(first)
}

// train begins the training, or goes on with it, and writes how it ended. What the
// configuration says is in the folder's name; a device that computes otherwise than the run's
// beginning is noted with the outcome.
func (l *Lab) train(t Training) error {
	folder := t.path(l.Out)
	var notes []string
	s, err := session.Begin(session.Options{
		Folder: folder, Config: t.Config, Changes: session.AnyChanges, Open: l.Open,
		Notes: func(n []string) { notes = append(notes, n...) },
	})
	if err != nil {
		return err
	}
	var observers []train.Observer
	if l.Watch != nil {
		observers = append(observers, l.Watch(t.Folder(), s.Trainer.TotalSteps()))
	}
	err = s.Run(l.ctx, observers...)
	var diverged *train.DivergedError
	gaveUp := errors.As(err, &diverged)
	if closed := s.Close(); closed != nil || err != nil && !gaveUp {
		return errors.Join(err, closed)
	}
	return l.conclude(t, folder, s.Trainer.Progress(), diverged, notes)
}

// conclude writes the outcome.
func (l *Lab) conclude(t Training, folder string, p train.Progress, gaveUp *train.DivergedError, notes []string) error {
	o := Outcome{Run: t.Run.Name, Seed: t.Seed, Steps: p.Step, Valid: p.Last, Rollbacks: p.Rollbacks, Notes: notes}
	if gaveUp != nil {
		o.Diverged, o.Rollbacks = gaveUp.Error(), append(o.Rollbacks, train.Rollback{At: gaveUp.Step, To: -1, Reason: gaveUp.Reason})
	}
	for i, n := range notes {
		o.Notes[i] = l.elsewhere(n)
	}
	var err error
	if o.Hours, err = hours(folder); err != nil {
		return err
	}
	envs, err := rundir.ReadEnv(rundir.Path(folder).Env())
	if err != nil {
		return err
	}
	if n := len(envs); n > 0 {
		o.Device, o.CPU, o.Cores = envs[n-1].Device, envs[n-1].CPU, envs[n-1].Cores
	}
	return o.write(folder)
}
