package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"jem/config"
	"jem/feed"
	"jem/internal/rundir"
	"jem/predict"
	"jem/train/journal"
)

// Changes are the differences from its beginning with which a run may go on. In all cases it is
// computed as it began where the machine can do that.
type Changes uint8

const (
	// NoChanges refuses every difference, of settings and of what the device computes.
	NoChanges Changes = iota
	// HarmlessChanges lets settings differ that leave what has been computed valid, see
	// config.CheckResume; that the device computes otherwise is a note.
	HarmlessChanges
	// AnyChanges takes Config as it is, because the caller answers for it; the device as before.
	AnyChanges
)

// Begin goes on with the run in the folder, or creates it where there is none yet.
func Begin(o Options) (*Session, error) {
	there, s := int64(0), start(o)
	err := s.all.Lead(func(context.Context) error {
		if _, err := os.Stat(rundir.Path(o.Folder).Config()); !errors.Is(err, fs.ErrNotExist) {
			there = 1
		}
		return nil
	})
	if err == nil {
		there, err = s.all.Max(there)
	}
	switch {
	case err != nil:
		return nil, err
	case there == 0:
		return Create(o)
	}
	return Resume(o)
}

// Resume goes on with a run from its newest usable checkpoint, and with a configuration that
// becomes the run's. Errors: those of journal.Open; *settings.Error for a change that isn't
// allowed; those of Create but for the first. With any of them nothing stays open and the folder
// is given back.
func Resume(o Options) (*Session, error) {
	s := start(o)
	stored, err := s.stored()
	if err != nil {
		return nil, err
	}
	return s.begin(func(s *Session) error {
		s.tell(stored.Notes())
		before := s.ranksBefore()
		saved, err := s.resume(stored)
		if err != nil {
			return errors.Join(err, stored.Close())
		}
		return s.all.During(func(context.Context) (err error) {
			s.journal, err = stored.Resume(s.Trainer, s.records()) // which gives the folder back on an error
			if err == nil && stored.Begun() {
				s.Trainer.Lengthened(saved.TotalSteps(s.Trainer.StepsPerEpoch()))
			}
			if now := s.all.Size(); err == nil && stored.Begun() && before != now {
				s.note(fmt.Sprintf("the run goes on with %s, %d before: it follows the same course within rounding", ranks(now), before))
			}
			return err
		})
	})
}

// ranksBefore is with how many ranks the run was started the last time, as far as its records tell.
func (s *Session) ranksBefore() int {
	starts, err := rundir.ReadEnv(rundir.Path(s.o.Folder).Env())
	if err != nil || len(starts) == 0 {
		return s.all.Size()
	}
	return max(1, starts[len(starts)-1].Ranks)
}

func ranks(n int) string {
	if n == 1 {
		return "1 rank"
	}
	return fmt.Sprintf("%d ranks", n)
}

// stored is the run's folder, which the first rank takes, with the state that it chooses for all.
func (s *Session) stored() (stored *journal.Stored, err error) {
	step := int64(-1)
	err = s.all.Lead(func(context.Context) (err error) {
		if stored, err = journal.Open(s.o.Folder); err == nil && stored.Begun() {
			step = int64(stored.Step())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if step, err = s.all.Max(step); err == nil {
		err = s.all.During(func(context.Context) (err error) {
			if stored == nil {
				stored, err = journal.Follow(s.o.Folder, int(step))
			}
			return err
		})
	}
	if err != nil && stored != nil {
		return nil, errors.Join(err, stored.Close())
	}
	return stored, err
}

// resume opens device and images and makes the trainer, such that the rest of the run is computed
// as its beginning was, as far as the options demand it. It returns the run's configuration until now.
func (s *Session) resume(stored *journal.Stored) (saved config.Config, err error) {
	var known *feed.Facts
	err = s.stages(
		func() (err error) { known, err = feed.ReadFacts(rundir.Path(s.o.Folder).Data()); return err },
		func() (err error) { saved, err = s.agree(stored.Step(), known); return err },
		func() error { return s.reopen(stored) },
		func() error { return s.rebuildImages(stored, known) },
	)
	if err == nil {
		err = s.network(func() error { return s.rebuilt(stored) })
	}
	return saved, err
}

// reopen opens the device to compute as the run's did.
func (s *Session) reopen(stored *journal.Stored) error {
	if err := s.open(stored.Device(s.o.Config.Device)); err != nil {
		// Perhaps this machine lacks the run's instructions; then Missed will say so.
		if err := s.open(s.o.Config.Device); err != nil {
			return err
		}
	}
	stored.Follow(s.device)
	return nil
}

// rebuilt gives a new trainer what it begins with, where it doesn't come from a checkpoint, and looks whether
// it computes as before.
func (s *Session) rebuilt(stored *journal.Stored) error {
	if !stored.Begun() {
		if err := s.initialise(); err != nil {
			return err
		}
	}
	missed := stored.Missed(s.device)
	if missed != nil && s.o.Changes != NoChanges {
		s.tell([]string{missed.Error()})
		return nil
	}
	return missed
}

// rebuildImages opens the images, where they are to be found today, and compares them with those that
// the run began with.
func (s *Session) rebuildImages(stored *journal.Stored, known *feed.Facts) error {
	from := feed.Source{Config: s.o.Config, TakeOthers: s.o.Changes != NoChanges}
	if known != nil {
		dir, moved := known.Locate(from.Config.Data.Dir)
		from.Facts, from.Config.Data.Dir = *known, dir
		s.tell(moved)
	}
	if err := s.build(from, stored.Step()); err != nil {
		return err
	}
	if stored.Begun() {
		s.notes = nil // the records have them
	}
	changes := from.Facts.Evaluations(s.sources.Facts)
	if changed := s.sources.Changed; changed != "" {
		changes = append(changes, "the run goes on with other images than it began with: "+changed)
	}
	s.tell(changes)
	s.notes = append(s.notes, changes...) // for the records
	if from.Facts.Digest == "" {
		s.tell([]string{"the run is from before what it was trained on was kept (data.json): whether these are the images that it began with can't be told"})
	}
	return nil
}

// agree compares the run's configuration, which it returns, with the one asked for, after so many
// steps. Where the images lie is left open, if what they were is known.
func (s *Session) agree(steps int, known *feed.Facts) (saved config.Config, err error) {
	saved, err = predict.RunConfig(s.o.Folder)
	if known != nil && known.Digest != "" {
		saved.Data.Dir = s.o.Config.Data.Dir
	}
	if known != nil && known.Outliers != nil && known.Outliers.Digest != "" {
		saved.Outliers.Dir = s.o.Config.Outliers.Dir
	}
	if err == nil && s.o.Changes != AnyChanges {
		err = config.CheckResume(saved, s.o.Config, steps, s.o.Changes == HarmlessChanges)
	}
	return saved, err
}
