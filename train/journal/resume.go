package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"jem/backend"
	"jem/config"
	"jem/internal/checkpoint"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/train"
)

// Stored is a run folder before the run goes on, that this process holds, or, see Follow, another one.
type Stored struct {
	dir   *rundir.Dir            // nil: another process holds it
	state *checkpoint.Checkpoint // nil: it had not come to its first one
	notes []string
	// numerics of the state; zero where it doesn't know.
	numerics train.Numerics
}

// Open takes the folder of an interrupted run and finds its newest usable checkpoint.
// Errors: *fault.Error if the folder holds no run, *rundir.LockedError if another process
// writes there, checkpoint.ErrNone with the reasons if every checkpoint is damaged.
func Open(path string) (*Stored, error) {
	dir, err := rundir.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "is no run folder: it has no config.yaml that a run wrote"}
	}
	if err != nil {
		return nil, err
	}
	s := &Stored{dir: dir, notes: dir.Notes()}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return s, nil
}

// load finds the newest usable checkpoint.
func (s *Stored) load() error {
	_, unread, err := ReadHistory(s.dir.Path)
	if err != nil {
		return err
	}
	s.notes = append(s.notes, unread...)
	entries, err := checkpoint.List(s.dir.Checkpoints())
	if err != nil || len(entries) == 0 {
		return err
	}
	c, damaged, err := checkpoint.Before(s.dir.Checkpoints(), math.MaxInt, Usable)
	for _, d := range damaged {
		s.notes = append(s.notes, fmt.Sprintf("skipped a damaged checkpoint: %v", d))
	}
	if err != nil {
		return err
	}
	m, err := remember(c)
	if have := s.dir.Records(); err == nil && have < m.Records {
		s.notes = append(s.notes, fmt.Sprintf("%s has %d records, the checkpoint of step %d counts %d: those that are gone are missing in the report", s.dir.Metrics(), have, c.Step, m.Records))
	}
	if err != nil {
		return err
	}
	return s.take(c, string(s.dir.Path))
}

// take makes a checkpoint in the run's folder the state to go on from.
func (s *Stored) take(c *checkpoint.Checkpoint, path string) (err error) {
	s.state = c
	s.numerics, err = train.CheckpointNumerics(c)
	if err == nil && s.numerics.Kind == "" && c.Files["optim"] == nil {
		return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "holds weights from elsewhere, without an optimiser's state: a new run can begin with them (--init " + path + "), none goes on"}
	}
	return err
}

// Step is the number of steps taken.
func (s *Stored) Step() int {
	if s.state == nil {
		return 0
	}
	return s.state.Step
}

// Begun reports whether the run came to its first checkpoint; before it nothing counts.
func (s *Stored) Begun() bool { return s.state != nil }

// Device is the configuration of the device that computes as the run's did, where d leaves
// that open.
func (s *Stored) Device(d config.Device) config.Device { return s.numerics.Device(d) }

// Follow makes plans on the device follow the run's choices. It comes before the trainer.
func (s *Stored) Follow(dev backend.Device) { s.numerics.Use(dev) }

// Missed says, once the trainer is made, in what the device will compute the rest of the run
// otherwise than the beginning, as a *settings.Error; nil if in nothing that is known.
func (s *Stored) Missed(dev backend.Device) error {
	if s.numerics.Kind == "" {
		return nil
	}
	return s.numerics.Missed(train.NumericsOf(dev))
}

// Notes are sentences for the user.
func (s *Stored) Notes() []string { return s.notes }

// Close gives the folder back, for a run that does not go on after all.
func (s *Stored) Close() error {
	if s.dir == nil {
		return nil
	}
	return s.dir.Close()
}

// Resume puts the trainer into the stored state and goes on with the records from there;
// what was recorded later is dropped. o.Config becomes the run's configuration. The folder
// belongs to the journal, or is given back on an error. Of a folder that another process holds there is
// no journal.
func (s *Stored) Resume(t *train.Trainer, o Options) (*Journal, error) {
	j, err := s.resume(t, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("resume: %w", err), s.Close())
	}
	return j, nil
}

func (s *Stored) resume(t *train.Trainer, o Options) (*Journal, error) {
	var m memory
	if s.state != nil {
		if err := t.Restore(s.state); err != nil {
			return nil, err
		}
		var err error
		if m, err = remember(s.state); err != nil {
			return nil, err
		}
	}
	if s.dir == nil {
		return nil, nil
	}
	if err := s.dir.Started(o.environment()); err != nil {
		return nil, err
	}
	config, data, err := o.documents()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.dir.SetData(data), s.dir.SetConfig(config)); err != nil {
		return nil, err
	}
	if err := s.dir.Truncate(m.Records); err != nil {
		return nil, err
	}
	j, err := open(o, s.dir, s.Step())
	if err != nil {
		return nil, err
	}
	for _, n := range s.notes {
		j.told[n] = true
	}
	j.sum = interval{m.Steps, m.Interval.Values}
	if err := j.forget(s.Step()); err != nil {
		return nil, errors.Join(err, j.events.Close())
	}
	return j, nil
}
