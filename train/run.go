package train

import (
	"context"
	"errors"
	"fmt"

	"jem/backend"
	"jem/internal/checkpoint"
	"jem/internal/rundir"
)

// Session is a run with its data and its folder.
type Session struct {
	Trainer *Trainer
	Folder  rundir.Path

	cfg     Config
	sources *DataSources
	notes   []string
	dir     *rundir.Dir
	store   *checkpoint.Store
	journal *journal
}

// Begin reads the data that a valid configuration names, starts a run folder (which may
// exist if it holds no run) and builds the trainer on the device. The session must be closed.
func Begin(dev backend.Device, cfg Config, folder string) (*Session, error) {
	s := &Session{cfg: cfg, Folder: rundir.Path(folder)}
	if err := s.begin(dev); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Session) begin(dev backend.Device) (err error) {
	if s.sources, s.notes, err = OpenSources(s.cfg, 0); err != nil {
		return err
	}
	if s.Trainer, err = New(dev, s.cfg, s.sources.Sources); err != nil {
		return err
	}
	text, err := Document(s.cfg)
	if err != nil {
		return err
	}
	if s.dir, err = rundir.Create(string(s.Folder), []byte(text), rundir.Environment(dev.Name())); err != nil {
		return err
	}
	if s.store, err = checkpoint.Open(s.Folder.Checkpoints()); err != nil {
		return err
	}
	s.journal, err = newJournal(s.dir, s.cfg, s.sources.Classes, s.Trainer.TotalSteps())
	return err
}

// Run trains to the end, measures the accuracy on the test images if there are any, and
// writes the report. A run that ctx stopped has saved a checkpoint and returns
// context.Canceled. watch is told what happens after the folder has it.
func (s *Session) Run(ctx context.Context, watch Observer) error {
	o := Observers{s.journal, watch}
	for _, n := range s.notes {
		if err := o.Note(s.Trainer.progress.Step, n); err != nil {
			return err
		}
	}
	err := s.Trainer.Run(ctx, o, s.save)
	var diverged *DivergedError
	if errors.As(err, &diverged) {
		err = errors.Join(err, s.journal.diverged(diverged))
	}
	if err == nil {
		err = s.test(o)
	}
	return errors.Join(err, WriteReport(s.Folder))
}

// test evaluates on the test images, unless that was the last thing done for want of
// validation images.
func (s *Session) test(o Observer) error {
	p := s.Trainer.progress
	if s.sources.Test == nil || s.sources.Valid == nil && p.Last.Split == "test" {
		return nil
	}
	a, err := s.Trainer.Evaluate(s.sources.Test, "test")
	if err != nil {
		return err
	}
	return o.Evaluated(p.Step, a)
}

// save writes a checkpoint and deletes those that the configuration does not keep.
func (s *Session) save() (string, error) {
	path, err := s.Trainer.Save(s.store)
	if err != nil {
		return "", err
	}
	_, err = s.store.Prune(checkpoint.Policy{
		KeepLast:  s.cfg.Train.KeepLast,
		KeepEvery: s.cfg.Train.KeepEvery * s.Trainer.StepsPerEpoch(),
		Keep:      []int{s.Trainer.progress.BestStep},
	})
	if err != nil {
		return "", fmt.Errorf("delete old checkpoints: %w", err)
	}
	return path, nil
}

// Close ends background work, makes the records durable and gives the folder back.
func (s *Session) Close() error {
	var errs []error
	if s.sources != nil {
		s.sources.Close()
	}
	if s.journal != nil {
		errs = append(errs, s.journal.close())
	}
	if s.dir != nil {
		errs = append(errs, s.dir.Close())
	}
	return errors.Join(errs...)
}
