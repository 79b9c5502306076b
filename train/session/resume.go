package session

import (
	"errors"
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
		known, err := feed.ReadFacts(rundir.Path(o.Folder).Data())
		if err != nil {
			return errors.Join(err, stored.Close())
		}
		saved, err := s.agree(stored.Step(), known)
		if err == nil {
			err = s.rebuild(stored, known)
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
func (s *Session) rebuild(stored *journal.Stored, known *feed.Facts) error {
	if err := s.open(stored.Device(s.o.Config.Device)); err != nil {
		// Perhaps this machine lacks the run's instructions; then Missed will say so.
		if err := s.open(s.o.Config.Device); err != nil {
			return err
		}
	}
	stored.Follow(s.device)
	if err := s.rebuildImages(stored, known); err != nil {
		return err
	}
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
