package experiments

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jem/backend"
	"jem/config"
	"jem/feed"
	"jem/internal/claim"
	"jem/internal/rundir"
	"jem/train"
	"jem/train/journal"
)

// Options say where and on what experiments run.
type Options struct {
	Scale     Scale
	Out       string // folder of runs, measurements and tables
	DataDir   string // of the published images; empty: the usual places, or generated ones at Smoke
	Device    config.Device
	OnlyReady bool // train nothing: tables of what has been trained

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

// NewLab prepares the output folder, which is new, empty or an earlier lab's, and, at Smoke without a data folder, generated images
// in it.
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
	dev, err := l.Open(t.Config.Device)
	if err != nil {
		return err
	}
	defer dev.Close()
	if err := l.train(t, dev); err != nil {
		return fmt.Errorf("train %s: %w", t.Folder(), err)
	}
	return nil
}

// train runs on an open device.
func (l *Lab) train(t Training, dev backend.Device) error {
	folder := t.path(l.Out)
	stored, err := stored(folder)
	if err != nil {
		return err
	}
	step := 0
	if stored != nil {
		step = stored.Step()
		stored.Follow(dev)
	}
	sources, notes, err := feed.Open(t.Config, step)
	if err != nil {
		return errors.Join(err, closeStored(stored))
	}
	defer sources.Close()
	trainer, err := train.New(dev, t.Config, sources.Sources)
	if err != nil {
		return errors.Join(err, closeStored(stored))
	}
	if stored != nil {
		if err := stored.Missed(dev); err != nil {
			notes = append(notes, err.Error())
		}
	}
	o := journal.Options{
		Path: folder, Config: t.Config, Classes: sources.Classes, StepsPerEpoch: trainer.StepsPerEpoch(),
		Device: dev.Name(), Algorithms: backend.Choices(dev),
	}
	var j *journal.Journal
	if stored == nil {
		j, err = journal.Create(o)
	} else {
		j, err = stored.Resume(trainer, o)
	}
	if err != nil {
		return err
	}
	observers := train.Observers{j}
	if l.Watch != nil {
		observers = append(observers, l.Watch(t.Folder(), trainer.TotalSteps()))
	}
	err = trainer.Run(l.ctx, observers, j)
	var diverged *train.DivergedError
	gaveUp := errors.As(err, &diverged)
	if closed := j.Close(); closed != nil || err != nil && !gaveUp {
		return errors.Join(err, closed)
	}
	return l.conclude(t, folder, trainer, diverged, notes)
}

// stored is the run in a folder, or nil if there is none yet.
func stored(folder string) (*journal.Stored, error) {
	if _, err := os.Stat(rundir.Path(folder).Config()); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return journal.Open(folder)
}

func closeStored(s *journal.Stored) error {
	if s == nil {
		return nil
	}
	return s.Close()
}

// conclude writes the outcome.
func (l *Lab) conclude(t Training, folder string, trainer *train.Trainer, gaveUp *train.DivergedError, notes []string) error {
	p := trainer.Progress()
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
