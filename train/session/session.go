// Package session is a run in this process: begun in a new folder, or gone on with. What a run
// needs is opened here and closed here, in one order for whoever trains: folder, device,
// numerics, images, trainer, records.
//
//	s, err := session.Create(session.Options{Folder: "runs/first", Config: c, Open: open})
//	err = s.Run(ctx)
//	err = errors.Join(err, s.Close())
//
// Who writes a run's records and who watches it is decided here and nowhere below.
package session

import (
	"context"
	"fmt"

	"jem/backend"
	"jem/config"
	"jem/feed"
	"jem/internal/claim"
	"jem/internal/rundir"
	"jem/predict"
	"jem/predict/weights"
	"jem/train"
	"jem/train/journal"
)

// Options say which run, and on what.
type Options struct {
	Folder  string
	Config  config.Config // resolved and valid
	Changes Changes       // that a run which goes on may have seen; Create ignores it

	// Open opens the device. The session closes it.
	Open func(config.Device) (backend.Device, error)
	// Notes hears sentences for the user, as soon as they are known; nil: nobody does.
	Notes func([]string)
}

// Session is a run in progress. It belongs to one goroutine, its device's.
type Session struct {
	Path    rundir.Path
	Config  config.Config
	Device  string         // the device's name for itself
	Trainer *train.Trainer // tells how far the run is, after Close, too

	o       Options
	device  backend.Device
	sources *feed.Feed
	notes   []string // about the images, that the records don't have yet
	journal *journal.Journal
}

// Create begins a run in a folder that is new or empty. Errors: those of rundir.Vacant, of Open,
// of the images and of settings that don't fit them or the machine, *claim.OverlapError. With
// any of them nothing stays open.
func Create(o Options) (*Session, error) {
	if err := rundir.Vacant(o.Folder); err != nil { // before the data are read
		return nil, err
	}
	return (&Session{o: o}).begin((*Session).create)
}

// begin opens everything, or nothing.
func (s *Session) begin(open func(*Session) error) (*Session, error) {
	if err := open(s); err != nil {
		_ = s.Close() // there is no journal to fail
		return nil, err
	}
	s.Path, s.Config, s.Device = s.journal.Path, s.o.Config, s.device.Name()
	return s, nil
}

func (s *Session) create() (err error) {
	if err := s.open(s.o.Config.Device); err != nil {
		return err
	}
	if err := s.build(feed.Source{Config: s.o.Config}, 0); err != nil {
		return err
	}
	if err := s.initialise(); err != nil {
		return err
	}
	s.journal, err = journal.Create(s.records())
	return err
}

func (s *Session) open(d config.Device) error {
	dev, err := s.o.Open(d)
	if err == nil {
		s.device = dev
	}
	return err
}

// build opens the images, which a run in that folder must not lie among, and makes the trainer.
func (s *Session) build(from feed.Source, step int) (err error) {
	s.sources, s.notes, err = from.Open(step)
	s.tell(s.notes)
	if err == nil {
		s.sources.Facts.Dir = s.o.Config.Data.Dir // as it was typed, wherever they were found
		err = apart(s.o.Folder, feed.PictureFolders(from.Config))
	}
	if err == nil {
		s.Trainer, err = train.New(s.device, s.o.Config, s.sources.Sources)
	}
	return err
}

// initialise gives the trainer the weights that the configuration begins with, if it names any.
func (s *Session) initialise() error {
	from, m := s.o.Config.Train.Init, s.o.Config.Model
	if from == "" {
		if s.o.Config.Train.FrozenStats {
			s.note("train.frozen_stats: without train.init the batch norms' statistics stay as they begin, mean 0 and variance 1; name a trained network to begin with (--init)")
		}
		return nil
	}
	w, notes, err := predict.ReadWeights(from, predict.Usual, weights.Options{Norm: m.Norm, Slope: m.Slope})
	s.tell(notes)
	if err != nil {
		return fmt.Errorf("train.init: %w", err)
	}
	note, err := s.Trainer.BeginWith(w, from)
	if err == nil {
		s.note(note)
	}
	return err
}

// note tells a sentence, now and in the records.
func (s *Session) note(text string) {
	s.tell([]string{text})
	s.notes = append(s.notes, text)
}

// apart refuses a run's folder that lies among pictures, or has them in it.
func apart(run string, pictures []string) error {
	for _, refused := range []func(run, dir string) error{claim.Apart, claim.Around} {
		for _, dir := range pictures {
			if err := refused(run, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Session) records() journal.Options {
	return journal.Options{
		Path: s.o.Folder, Config: s.o.Config, Facts: s.sources.Facts, StepsPerEpoch: s.Trainer.StepsPerEpoch(),
		Device: s.device.Name(), Algorithms: backend.Choices(s.device), Notes: s.o.Notes,
	}
}

func (s *Session) tell(notes []string) {
	if s.o.Notes != nil && len(notes) > 0 {
		s.o.Notes(notes)
	}
}

// Run trains to the end, see train.Trainer's Run. The records are told first what happens, then
// the observers in order.
func (s *Session) Run(ctx context.Context, observers ...train.Observer) error {
	for _, n := range s.notes {
		if err := s.journal.Note(s.Trainer.Progress().Step, n); err != nil {
			return err
		}
	}
	s.notes = nil
	return s.Trainer.Run(ctx, append(train.Observers{s.journal}, observers...), s.journal)
}

// Close ends the records, whose error it returns, gives the folder back, and closes what else
// is open. It may be called again.
func (s *Session) Close() (err error) {
	if s.journal != nil {
		err = s.journal.Close()
	}
	if s.sources != nil {
		s.sources.Close()
	}
	if s.device != nil {
		_ = s.device.Close() // nothing is left on it
	}
	s.journal, s.sources, s.device = nil, nil, nil
	return err
}
