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
	"jem/comm"
	"jem/config"
	"jem/feed"
	"jem/internal/claim"
	"jem/internal/rundir"
	"jem/predict"
	"jem/predict/weights"
	"jem/train"
	"jem/train/journal"
	"jem/train/step"
)

// Options say which run, and on what.
type Options struct {
	Folder  string
	Config  config.Config // resolved and valid
	Changes Changes       // that a run which goes on may have seen; Create ignores it

	// Comm is this process's place among the ranks of the run; nil: it is the only one. All ranks make the
	// same calls. Only the first of them writes into the folder, which all read, and tells notes.
	Comm     comm.Comm
	Machines int // on which they are; 0: not known
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
	all     *comm.Accord // of the ranks
	device  backend.Device
	sources *feed.Feed
	notes   []string         // about the images, that the records don't have yet
	journal *journal.Journal // nil: this isn't the first rank
}

// start is a session of which nothing is open.
func start(o Options) *Session {
	if o.Comm == nil {
		o.Comm = comm.Local{}
	}
	if o.Comm.Rank() > 0 {
		o.Notes = nil
	}
	return &Session{o: o, all: comm.NewAccord(context.Background(), o.Comm)} // a wish to stop is heard by Run
}

// Create begins a run in a folder that is new or empty. Errors: those of rundir.Vacant, of Open,
// of the images and of settings that don't fit them or the machine, *claim.OverlapError; with several
// ranks those of comm.Accord, and a *settings.Error where they differ. With any of them nothing stays open.
func Create(o Options) (*Session, error) {
	s := start(o)
	vacant := func(context.Context) error { return rundir.Vacant(o.Folder) }
	if err := s.all.Lead(vacant); err != nil { // before the data are read
		return nil, err
	}
	return s.begin((*Session).create)
}

// begin opens everything, or nothing.
func (s *Session) begin(open func(*Session) error) (*Session, error) {
	if err := open(s); err != nil {
		_ = s.Close() // there is no journal to fail
		return nil, err
	}
	s.Path, s.Config, s.Device = rundir.Path(s.o.Folder), s.o.Config, s.device.Name()
	if s.journal != nil {
		s.Path = s.journal.Path
	}
	return s, nil
}

func (s *Session) create() (err error) {
	err = s.stages(
		func() error { return s.open(s.o.Config.Device) },
		func() error { return s.build(feed.Source{Config: s.o.Config}, 0) },
	)
	if err == nil {
		err = s.network(s.initialise)
	}
	if err == nil {
		err = s.all.Lead(func(context.Context) (err error) { s.journal, err = journal.Create(s.records()); return err })
	}
	if err == nil {
		err = s.seen()
	}
	return err
}

// stages has all ranks do one thing after the other, up to the first error of any.
func (s *Session) stages(all ...func() error) error {
	err := s.sameProgram()
	if err == nil {
		err = step.Shareable(&s.o.Config, s.all.Size()) // before anything is read
	}
	if err != nil {
		return err
	}
	return s.all.During(func(ctx context.Context) error {
		for _, do := range all {
			if err := ctx.Err(); err != nil { // another one failed
				return err
			}
			if err := do(); err != nil {
				return err
			}
		}
		return nil
	})
}

// network makes the trainer on all ranks, and then does more there. Where the device has a choice the first
// rank makes it for all: what each would time for itself is another rounding on each.
func (s *Session) network(more func() error) error {
	build := func(context.Context) (err error) {
		s.Trainer, err = train.New(s.device, s.o.Config, s.sources.Sources, s.o.Comm)
		if err == nil && s.all.Rank() == 0 && s.Trainer.Waits() != "" {
			s.tell([]string{s.Trainer.Waits()}) // not recorded: the records don't depend on the machine
		}
		if err == nil {
			err = more()
		}
		return err
	}
	if err := s.all.Lead(build); err != nil {
		return err
	}
	if s.all.Size() == 1 {
		return nil
	}
	if err := s.followNumerics(); err != nil {
		return err
	}
	err := s.all.During(func(ctx context.Context) error {
		if s.Trainer != nil {
			return nil
		}
		return build(ctx)
	})
	if err != nil {
		return err
	}
	return s.sameNumbers()
}

func (s *Session) open(d config.Device) error {
	dev, err := s.o.Open(d)
	if err == nil {
		s.device = dev
	}
	return err
}

// build opens this rank's share of the images, which a run in that folder must not lie among.
func (s *Session) build(from feed.Source, step int) (err error) {
	from.Rank, from.Ranks = s.all.Rank(), s.all.Size()
	s.sources, s.notes, err = from.Open(step)
	s.tell(s.notes)
	if err == nil {
		s.sources.Facts.Dir = s.o.Config.Data.Dir // as it was typed, wherever they were found
		err = apart(s.o.Folder, feed.PictureFolders(from.Config))
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
		Ranks: s.all.Size(), Machines: s.o.Machines, Engine: s.all.Name(),
	}
}

func (s *Session) tell(notes []string) {
	if s.o.Notes != nil && len(notes) > 0 {
		s.o.Notes(notes)
	}
}

// Run trains to the end, see train.Trainer's Run. The records are told first what happens, then
// the observers in order; with several ranks, those of the first one.
func (s *Session) Run(ctx context.Context, observers ...train.Observer) error {
	if err := s.all.Lead(func(context.Context) error { return s.remember() }); err != nil {
		return err
	}
	if s.journal == nil {
		return s.Trainer.Run(ctx, train.Observers{}, journal.Reader(s.Path))
	}
	return s.Trainer.Run(ctx, append(train.Observers{s.journal}, observers...), s.journal)
}

// remember puts what the records don't have yet into them.
func (s *Session) remember() error {
	for _, n := range s.notes {
		if err := s.journal.Note(s.Trainer.Progress().Step, n); err != nil {
			return err
		}
	}
	s.notes = nil
	return nil
}

// Close ends the records, whose error it returns, gives the folder back, and closes what else
// is open. It may be called again, and speaks with no other rank.
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
