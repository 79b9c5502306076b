package session

import (
	"errors"
	"io/fs"
	"os"

	"jem/config"
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
	if _, err := os.Stat(rundir.Path(o.Folder).Config()); errors.Is(err, fs.ErrNotExist) {
		return Create(o)
	}
	return Resume(o)
}

// Resume goes on with a run from its newest usable checkpoint, and with a configuration that
// becomes the run's. Errors: those of journal.Open; *settings.Error for a change that isn't
// allowed; those of Create but for the first. With any of them nothing stays open and the folder
// is given back.
func Resume(o Options) (*Session, error) {
	stored, err := journal.Open(o.Folder)
	if err != nil {
		return nil, err
	}
	return (&Session{o: o}).begin(func(s *Session) error {
		s.tell(stored.Notes())
		saved, err := s.agree(stored.Step())
		if err == nil {
			err = s.rebuild(stored)
		}
		if err != nil {
			return errors.Join(err, stored.Close())
		}
		s.journal, err = stored.Resume(s.Trainer, s.records()) // which gives the folder back on an error
		if err == nil && stored.Begun() {
			s.Trainer.Lengthened(saved.TotalSteps(s.Trainer.StepsPerEpoch()))
		}
		return err
	})
}

// rebuild opens the device and makes the trainer, such that the rest of the run is computed
// as its beginning was, as far as the options demand it.
func (s *Session) rebuild(stored *journal.Stored) error {
	if err := s.open(stored.Device(s.o.Config.Device)); err != nil {
		// Perhaps this machine lacks the run's instructions; then Missed will say so.
		if err := s.open(s.o.Config.Device); err != nil {
			return err
		}
	}
	stored.Follow(s.device)
	if err := s.build(stored.Step()); err != nil {
		return err
	}
	if stored.Begun() {
		s.notes = nil // the records have them
	} else if err := s.initialise(); err != nil {
		return err
	}
	missed := stored.Missed(s.device)
	if missed != nil && s.o.Changes != NoChanges {
		s.tell([]string{missed.Error()})
		return nil
	}
	return missed
}

// agree compares the run's configuration, which it returns, with the one asked for, after so many
// steps.
func (s *Session) agree(steps int) (saved config.Config, err error) {
	saved, err = predict.RunConfig(s.o.Folder)
	if err == nil && s.o.Changes != AnyChanges {
		err = config.CheckResume(saved, s.o.Config, steps, s.o.Changes == HarmlessChanges)
	}
	return saved, err
}
