package sweep

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"jem/backend"
	"jem/config"
	"jem/feed"
	"jem/internal/claim"
	"jem/internal/rundir"
	"jem/train"
	"jem/train/journal"
	"jem/train/session"
)

// Options say where and on what a sweep is trained.
type Options struct {
	Folder       string
	AllowChanges bool // runs go on with harmless settings that differ, see config.CheckResume

	// Open opens the device of a run.
	Open func(config.Device) (backend.Device, error)
	// Watch returns an observer of run i of n, of so many steps; nil: none.
	Watch func(run string, i, n, steps int) train.Observer
	// Tell hears sentences for the user; nil: nobody.
	Tell func(text string)
}

// Sweep is a plan that is being trained in a folder.
type Sweep struct {
	plan    *Plan
	o       Options
	endings map[string]ending // by run
	causes  []error           // why runs didn't come to their end, in this process
}

// StoppedError says where a sweep was stopped. It wraps the context's error.
type StoppedError struct {
	Run  string
	Step int
	err  error
}

func (e *StoppedError) Error() string {
	if e.Run == "" {
		return "stopped between two runs"
	}
	return fmt.Sprintf("stopped in %s after step %d, checkpoint saved", e.Run, e.Step)
}

// Unwrap returns the context's error.
func (e *StoppedError) Unwrap() error { return e.err }

// UnendedError says that runs didn't come to their end. It wraps the reason of the first.
type UnendedError struct {
	Runs, Of int
	err      error
}

func (e *UnendedError) Error() string {
	return fmt.Sprintf("%d of %d runs did not come to their end, see STATE; the first: %v", e.Runs, e.Of, e.err)
}

// Unwrap returns the reason of the first.
func (e *UnendedError) Unwrap() error { return e.err }

// Open takes the folder, which is new, empty or an earlier sweep's, and looks at what is there. Errors: those of
// claim.Take; *claim.OverlapError among pictures that are read; a *settings.Error where runs there have other
// settings.
func Open(p *Plan, o Options) (*Sweep, error) {
	s, err := Look(p, o)
	if err != nil {
		return nil, err
	}
	return s, claim.Take(o.Folder, folder)
}

// Look is Open for a sweep that isn't trained: the folder is not made. Errors are those of Open.
func Look(p *Plan, o Options) (*Sweep, error) {
	if err := claim.Check(o.Folder, folder); err != nil {
		return nil, err
	}
	for _, c := range p.Cases {
		for _, pictures := range feed.PictureFolders(c.Runs[0].Config) {
			if err := claim.Apart(o.Folder, pictures); err != nil {
				return nil, err
			}
		}
	}
	s := &Sweep{plan: p, o: o, endings: map[string]ending{}}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s, s.agree()
}

// State is how a run of the plan stands: one of Waiting, …
func (s *Sweep) State(r Run) string { return s.state(r).State }

func (s *Sweep) path(r Run) string { return filepath.Join(s.o.Folder, r.Name) }

func (s *Sweep) tell(text string) {
	if s.o.Tell != nil {
		s.o.Tell(text)
	}
}

// Run trains what has not ended, one run after the other, and writes the table after each. Errors: a *StoppedError after
// ctx has ended; *rundir.LockedError where another process is at it; an *UnendedError at the end.
func (s *Sweep) Run(ctx context.Context) error {
	all := s.plan.Runs()
	for i, r := range all {
		if e := s.endings[r.Name]; e.State == Done || e.State == Diverged {
			continue
		}
		err := s.train(ctx, r, i, len(all))
		if locked := (*rundir.LockedError)(nil); errors.As(err, &locked) {
			return err // and the table is theirs who are at it
		}
		if err = errors.Join(err, s.write()); err != nil {
			return err
		}
	}
	return errors.Join(s.write(), s.unended(all))
}

// train trains a run and keeps how it ended. An error ends the sweep.
func (s *Sweep) train(ctx context.Context, r Run, i, n int) error {
	if err := ctx.Err(); err != nil {
		return &StoppedError{err: err}
	}
	step, err := s.session(ctx, r, i, n)
	var (
		diverged *train.DivergedError
		locked   *rundir.LockedError
	)
	switch {
	case err == nil:
		s.endings[r.Name] = ending{State: Done}
	case errors.Is(err, context.Canceled):
		return &StoppedError{Run: r.Name, Step: step, err: err}
	case errors.As(err, &locked):
		return err
	case errors.As(err, &diverged):
		s.endings[r.Name] = ending{Diverged, err.Error()}
	default:
		s.endings[r.Name] = ending{Failed, err.Error()}
	}
	if err != nil {
		s.causes = append(s.causes, fmt.Errorf("%s: %w", r.Name, err))
		s.tell(fmt.Sprintf("%s did not come to its end, the sweep goes on: %v", r.Name, err))
	}
	return nil
}

// session begins a run, or goes on with it, to its end. It returns the steps taken.
func (s *Sweep) session(ctx context.Context, r Run, i, n int) (step int, err error) {
	o := session.Options{Folder: s.path(r), Config: r.Config, Open: s.o.Open, Notes: func(notes []string) {
		for _, text := range notes {
			s.tell(text)
		}
	}}
	if s.o.AllowChanges {
		o.Changes = session.HarmlessChanges
	}
	run, err := session.Begin(o)
	if err != nil {
		return 0, err
	}
	var observers []train.Observer
	if s.o.Watch != nil {
		observers = append(observers, s.o.Watch(r.Name, i, n, run.Trainer.TotalSteps()))
	}
	err = errors.Join(run.Run(ctx, observers...), run.Close())
	return run.Trainer.Progress().Step, err
}

// unended is the error of runs that didn't come to their end, now or at an earlier start; nil without them.
func (s *Sweep) unended(all []Run) error {
	e := &UnendedError{Of: len(all)}
	if len(s.causes) > 0 {
		e.err = s.causes[0]
	}
	for _, r := range all {
		end := s.endings[r.Name]
		if end.State == Done {
			continue
		}
		if e.Runs++; e.err == nil {
			e.err = fmt.Errorf("%s: %w", r.Name, &earlierError{end.Why})
		}
	}
	if e.Runs == 0 {
		return nil
	}
	return e
}

// earlierError is a divergence that an earlier start came to.
type earlierError struct{ text string }

func (e *earlierError) Error() string { return e.text }

// Unwrap makes it a *train.DivergedError to those who ask for the kind.
func (e *earlierError) Unwrap() error { return &train.DivergedError{Reason: e.text} }

// state is how a run stands.
func (s *Sweep) state(r Run) ending {
	if e, known := s.endings[r.Name]; known {
		return e
	}
	if journal.IsRun(s.path(r)) {
		return ending{State: Unfinished}
	}
	return ending{State: Waiting}
}
