package train

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jem/comm"
	"jem/feed/feedtest"
	"jem/internal/checkpoint"
	"jem/train/step"
)

// slow is a shelf on which writing takes a while. It notices who comes to it meanwhile.
type slow struct {
	*shelf
	t       testing.TB
	takes   time.Duration
	writing atomic.Bool
	err     error // of all writes after the first
	writes  int
}

func newSlow(t testing.TB, takes time.Duration) *slow {
	return &slow{shelf: newShelf(t), t: t, takes: takes}
}

func (s *slow) alone(what string) {
	if s.writing.Load() {
		s.t.Errorf("%s while a checkpoint is being written", what)
	}
}

func (s *slow) Save(t *Trainer) (func() (string, error), error) {
	s.alone("Save")
	write, err := s.shelf.Save(t)
	s.writes++
	fail := s.writes > 1 && s.err != nil
	s.writing.Store(true)
	return func() (string, error) {
		defer s.writing.Store(false)
		time.Sleep(s.takes)
		if fail {
			return "", s.err
		}
		return write()
	}, err
}

func (s *slow) Before(step int) (*checkpoint.Checkpoint, []error, error) {
	s.alone("Before")
	return s.shelf.Before(step)
}

func (s *slow) Return(c *checkpoint.Checkpoint) error {
	s.alone("Return")
	return s.shelf.Return(c)
}

func newToy(t testing.TB, change func(*Trainer)) *Trainer {
	t.Helper()
	cfg := feedtest.ToyConfig()
	cfg.Train.Steps, cfg.Train.SaveEvery = 6, 2
	tr, err := New(open(t, 2), cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	change(tr)
	return tr
}

func asIs(*Trainer) {}

// What is written is the state at the moment of the save, whatever steps are taken before it is.
func TestASaveDoesNotSeeLaterSteps(t *testing.T) {
	tr, k, r := newToy(t, asIs), newShelf(t), &recorder{}
	advance := func() {
		if err := tr.advance(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	advance()
	want, err := checkpoint.Load(k.put(t, tr))
	if err != nil {
		t.Fatal(err)
	}
	write, err := k.Save(tr)
	if err != nil {
		t.Fatal(err)
	}
	weights := parameters(t, tr)
	advance()
	if same(weights, parameters(t, tr)) {
		t.Fatal("the step changed nothing")
	}
	path, err := write()
	if err != nil {
		t.Fatal(err)
	}
	got, err := checkpoint.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Step != 1 || string(got.State) != string(want.State) || len(got.Files) != len(want.Files) {
		t.Errorf("step %d with %s, want step %d with %s", got.Step, got.State, want.Step, want.State)
	}
	for file, tensors := range want.Files {
		for i, tensor := range tensors {
			if !same(tensor.F32, got.Files[file][i].F32) {
				t.Errorf("%s of %s is of a later step", tensor.Name, file)
			}
		}
	}
}

// A run saves more often than the disk can follow: no save overtakes another, and the end waits.
func TestSavesInARowWaitForEachOther(t *testing.T) {
	tr, k, r := newToy(t, func(tr *Trainer) { tr.cfg.Train.SaveEvery = 1 }), newSlow(t, 20*time.Millisecond), &recorder{}
	if err := tr.Run(t.Context(), r, k); err != nil {
		t.Fatal(err)
	}
	k.alone("the end")
	entries, err := checkpoint.List(k.dir)
	if err != nil || len(entries) != 7 || len(r.saved) != 7 {
		t.Fatalf("%d checkpoints, %d told of, %v", len(entries), len(r.saved), err)
	}
	for i, e := range entries {
		if e.Step != i || r.saved[i] != e.Path {
			t.Errorf("%d: step %d, told of %s", i, e.Step, r.saved[i])
		}
	}
}

// A checkpoint that can't be written ends the run, between the next steps or at its end.
func TestAFailedSaveEndsTheRun(t *testing.T) {
	full := errors.New("no room")
	for name, takes := range map[string]time.Duration{"at once": 0, "late": 30 * time.Millisecond} {
		tr, k, r := newToy(t, asIs), newSlow(t, takes), &recorder{}
		k.err = full
		if err := tr.Run(t.Context(), r, k); !errors.Is(err, full) || err.Error() != full.Error() {
			t.Errorf("%s: got %v", name, err)
		}
		k.alone("the end")
		if len(r.saved) != 1 || len(r.steps) < 2 || len(r.steps) > 4 {
			t.Errorf("%s: told of %d checkpoints, %d steps", name, len(r.saved), len(r.steps))
		}
	}
}

// stopping cancels a run after so many steps.
type stopping struct {
	recorder
	after  int
	cancel context.CancelFunc
}

func (s *stopping) Step(r *step.Record) error {
	if r.Step == s.after {
		s.cancel()
	}
	return s.recorder.Step(r)
}

// A run that is stopped ends when its state is on the disk, whether it was being written or not.
func TestStoppingWaitsForTheCheckpoint(t *testing.T) {
	for _, after := range []int{2, 3} {
		tr, k := newToy(t, asIs), newSlow(t, 50*time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		r := &stopping{after: after, cancel: cancel}
		if err := tr.Run(ctx, r, k); !errors.Is(err, context.Canceled) {
			t.Errorf("after %d: got %v", after, err)
		}
		k.alone("the end")
		c, damaged, err := checkpoint.Latest(k.dir)
		if err != nil || len(damaged) > 0 || c.Step != after || !slices.Contains(r.saved, c.Path) {
			t.Errorf("after %d: %+v, %v, %v; told of %v", after, c, damaged, err, r.saved)
		}
		k, r = newSlow(t, 0), &stopping{after: after, cancel: cancel}
		ctx, cancel = context.WithCancel(t.Context())
		r.cancel, k.err = cancel, errors.New("no room")
		if err := newToy(t, asIs).Run(ctx, r, k); !errors.Is(err, k.err) || errors.Is(err, context.Canceled) {
			t.Errorf("after %d, with a full disk: got %v", after, err)
		}
	}
}

// A rollback goes back to the state that was being written.
func TestARollbackWaitsForTheCheckpoint(t *testing.T) {
	in := inject(t, guarded(), 4, 1, spoilers["loss"], poisons["NaN"])
	r := &recorder{}
	if err := in.Run(t.Context(), r, newSlow(t, 100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if len(r.rollbacks) != 1 || r.rollbacks[0].At != 5 || r.rollbacks[0].To != 4 {
		t.Errorf("rollbacks %+v, want one from step 5 to 4", r.rollbacks)
	}
}

// Where that state can't be written, the run ends for this reason.
func TestARollbackToAStateThatCannotBeWritten(t *testing.T) {
	in, k := inject(t, guarded(), 4, 1, spoilers["loss"], poisons["NaN"]), newSlow(t, 100*time.Millisecond)
	k.err = errors.New("no room")
	var diverged *DivergedError
	if err := in.Run(t.Context(), &recorder{}, k); !errors.Is(err, k.err) || errors.As(err, &diverged) {
		t.Errorf("got %v", err)
	}
}

// Without memory for a copy training waits, and the checkpoints are the same.
func TestWithoutRoomTheCheckpointsAreTheSame(t *testing.T) {
	with, without := newShelf(t), newSlow(t, time.Millisecond)
	for k, change := range map[Keeper]func(*Trainer){with: asIs, without: func(tr *Trainer) { tr.room = false }} {
		tr := newToy(t, change)
		if err := tr.Run(t.Context(), &recorder{}, k); err != nil {
			t.Fatal(err)
		}
		if tr.room == (tr.Waits() != "") || tr.room == (tr.host == nil) {
			t.Errorf("room %v, a copy %v: %q", tr.room, tr.host != nil, tr.Waits())
		}
	}
	files, err := filepath.Glob(filepath.Join(with.dir, "*", "*"))
	if err != nil || len(files) != 4*5 { // buffer, model, optim, state, manifest
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		name, err := filepath.Rel(with.dir, f)
		if err != nil {
			t.Fatal(err)
		}
		a, errA := os.ReadFile(f)
		b, errB := os.ReadFile(filepath.Join(without.dir, name))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs (%v, %v)", name, errA, errB)
		}
	}
}

// A bug in the writing goroutine is one of the run's.
func TestAPanicWhileWritingIsTheTrainers(t *testing.T) {
	tr := newToy(t, asIs)
	tr.writing = toDisk(3, func() (string, error) { panic("amiss") }, true)
	defer func() {
		if said, _ := recover().(string); !strings.HasPrefix(said, "amiss, while the checkpoint of step 3 was written\n") || tr.writing != nil {
			t.Errorf("got %q", said)
		}
	}()
	t.Error(tr.arrive(&recorder{}))
}

// The copy's memory is foretold.
func TestFootprintOfTheCopy(t *testing.T) {
	cfg := feedtest.ToyConfig()
	for _, norm := range []string{"none", "batch"} {
		for _, average := range []float32{0, 0.9} {
			cfg.Model.Norm, cfg.Optim.EMA = norm, average
			dev, src := open(t, 1), feedtest.ToySources(cfg.Train.Batch)
			tr, err := New(dev, cfg, src, comm.Local{})
			if err != nil {
				t.Fatal(err)
			}
			f, known, err := step.NewFootprint(dev, cfg, src, 1)
			if err != nil || !known || f.Copy != 4*int64(tr.values()) {
				t.Errorf("norm %s, ema %g: foretold %d, is %d (%v, %v)", norm, average, f.Copy, 4*tr.values(), known, err)
			}
		}
	}
}
