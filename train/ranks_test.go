package train

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"jem/backend"
	"jem/comm"
	"jem/comm/mem"
	"jem/config"
	"jem/feed"
	"jem/feed/feedtest"
	"jem/internal/checkpoint"
	"jem/train/step"
)

// portions are a rank's share of a toy's, also of steps after rollbacks.
func portions(batch int, c comm.Comm) feed.Sources {
	src := feedtest.ToySources(batch)
	whole := &poison{Training: feedtest.Training{Toy: feedtest.Toy{N: 64, StepBatch: batch}}, step: func(int) {}}
	src.PX, src.Labeled = whole, whole
	return src.Share(c.Rank(), c.Size())
}

// reader is the keeper of the ranks that only read.
type reader struct{ *shelf }

func (reader) Save(*Trainer) (func() (string, error), error) {
	return nil, errors.New("a rank that only reads saves")
}
func (reader) Before(int) (*checkpoint.Checkpoint, []error, error) {
	return nil, nil, errors.New("a rank that only reads chooses")
}
func (reader) Return(*checkpoint.Checkpoint) error {
	return errors.New("a rank that only reads removes")
}

// member is a rank of a run in this process.
type member struct {
	*Trainer
	recorder
	rank int
	stop context.CancelFunc
	dev  *crooked
	err  error
	// after is called after each step, of each rank; what it returns is an error of the observer.
	after func(m *member, step int) error
}

// ranksRun trains with so many ranks that share a shelf.
func ranksRun(t *testing.T, cfg config.Config, size int, kept *shelf, goOn bool, after func(m *member, step int) error) []*member {
	t.Helper()
	members, devices := make([]*member, size), make([]backend.Device, size)
	for rank := range devices {
		devices[rank] = open(t, 1)
	}
	var all sync.WaitGroup
	for rank, c := range mem.New(size, 30*time.Second) {
		m := &member{rank: rank, dev: &crooked{Device: devices[rank]}, after: after}
		members[rank] = m
		all.Go(func() {
			if m.err = m.run(t, cfg, c, kept, goOn); comm.Lost(m.err) {
				c.Abort(1, m.err.Error())
			}
		})
	}
	all.Wait()
	return members
}

func (m *member) run(t *testing.T, cfg config.Config, c comm.Comm, kept *shelf, goOn bool) (err error) {
	honest := func([]float32) {}
	m.dev.grad, m.dev.logits = honest, honest
	if m.Trainer, err = New(m.dev, cfg, portions(cfg.Train.Batch, c), c); err != nil {
		return err
	}
	if goOn {
		saved, _, err := checkpoint.Latest(kept.dir)
		if err == nil {
			err = m.Restore(saved)
		}
		if err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	m.stop = stop
	var k Keeper = kept
	if c.Rank() > 0 {
		k = reader{kept}
	}
	return m.Run(ctx, &told{m}, k)
}

// told is what a member hears.
type told struct{ *member }

func (o *told) Step(r *step.Record) error {
	if err := o.recorder.Step(r); err != nil || o.after == nil {
		return err
	}
	return o.after(o.member, r.Step)
}

func (o *told) Note(int, string) error { return nil }

func short() config.Config {
	cfg := guarded()
	cfg.Train.Steps, cfg.Train.SaveEvery, cfg.Train.EvalEvery = 6, 2, 3
	return cfg
}

// stateOf is all that a trainer has come to, bit by bit.
func stateOf(t *testing.T, tr *Trainer) string {
	t.Helper()
	d, err := tr.digest()
	if err != nil {
		t.Fatal(err)
	}
	return string(d)
}

// done fails unless all ranks have come to the end with the same state.
func done(t *testing.T, all []*member) {
	t.Helper()
	for _, m := range all {
		if m.err != nil || !m.Done() || stateOf(t, m.Trainer) != stateOf(t, all[0].Trainer) {
			t.Fatalf("rank %d at step %d: %v", m.rank, m.Progress().Step, m.err)
		}
	}
}

// Whoever of the ranks is told to stop, all do after the same step, and the rest of the run is that of one that
// wasn't stopped.
func TestRanksStopTogetherAndGoOn(t *testing.T) {
	for _, size := range []int{2, 4} {
		whole := ranksRun(t, short(), size, newShelf(t), false, nil)
		done(t, whole)
		for stopping := range size {
			kept, at, stops := newShelf(t), 1+stopping%2*2, 2+stopping%2
			all := ranksRun(t, short(), size, kept, false, func(m *member, step int) error {
				if m.rank == stopping && step == at {
					m.stop()
				}
				return nil
			})
			for _, m := range all { // the flag travels with step 2, or with the evaluation after step 3
				if !errors.Is(m.err, context.Canceled) || m.Progress().Step != stops {
					t.Fatalf("rank %d of %d, %d was told: step %d, %v", m.rank, size, stopping, m.Progress().Step, m.err)
				}
			}
			if saved, _, err := checkpoint.Latest(kept.dir); err != nil || saved.Step != stops {
				t.Fatalf("saved: %v", err)
			}
			rest := ranksRun(t, short(), size, kept, true, nil)
			done(t, rest)
			if stateOf(t, rest[0].Trainer) != stateOf(t, whole[0].Trainer) {
				t.Errorf("%d ranks, %d was told: the end is another", size, stopping)
			}
			if len(rest[1].evals) > 0 || len(rest[1].recorder.saved) > 0 {
				t.Error("a rank that isn't the first was told of more than steps")
			}
		}
	}
}

// Another number of ranks can go on, and one alone.
func TestAnotherNumberOfRanksGoesOn(t *testing.T) {
	kept := newShelf(t)
	stop := func(m *member, step int) error {
		if step == 2 {
			m.stop()
		}
		return nil
	}
	ranksRun(t, short(), 4, kept, false, stop)
	for _, size := range []int{2, 1} {
		done(t, ranksRun(t, short(), size, &shelf{kept.dir, kept.store}, true, nil))
	}
}

// The same weights are judged alike by any number of ranks, bit by bit, also by more than there are batches.
func TestRanksEvaluateAsOne(t *testing.T) {
	cfg := short()
	cfg.Optim.LR, cfg.Train.Steps = 0, 1
	one := ranksRun(t, cfg, 1, newShelf(t), false, nil)[0].Progress().Last
	for _, size := range []int{2, 4} { // of 2 batches of images
		for _, m := range ranksRun(t, cfg, size, newShelf(t), false, nil) {
			if m.err != nil || m.Progress().Last != one {
				t.Errorf("rank %d of %d: %v instead of %v, %v", m.rank, size, m.Progress().Last, one, m.err)
			}
		}
	}
}

// A divergence is everybody's, and so is the way back.
func TestRanksRollBackTogether(t *testing.T) {
	spoiled := func(which int) func(m *member, step int) error {
		return func(m *member, step int) error {
			if m.rank == which && step == 4 && len(m.Progress().Rollbacks) == 0 {
				m.dev.logits = func(l []float32) { l[0], m.dev.logits = 1e9, func([]float32) {} }
			}
			return nil
		}
	}
	for which := range 2 {
		all := ranksRun(t, short(), 2, newShelf(t), false, spoiled(which))
		done(t, all)
		for _, m := range all {
			if back := m.Progress().Rollbacks; len(back) != 1 || back[0].At != 5 || back[0].To != 4 {
				t.Errorf("rank %d was spoiled, %d went back %v", which, m.rank, back)
			}
		}
		if len(all[0].rollbacks) != 1 || len(all[1].rollbacks) != 0 {
			t.Errorf("told %v and %v", all[0].rollbacks, all[1].rollbacks)
		}
	}
}

// A state that isn't the same on all ranks is found, with who differs, and is not saved.
func TestUnequalReplicasAreNotSaved(t *testing.T) {
	for name, tc := range map[string]struct {
		size  int
		ranks []int // that are spoiled
		says  string
	}{
		"one of four": {4, []int{2}, "rank 2 of 4 holds another state than the other 3"},
		"the first":   {4, []int{0}, "rank 0 of 4 holds"},
		"one of two":  {2, []int{1}, "rank 1 of 2 holds another state than rank 0"},
	} {
		t.Run(name, func(t *testing.T) {
			kept := newShelf(t)
			all := ranksRun(t, short(), tc.size, kept, false, func(m *member, step int) error {
				if step == 3 && slices.Contains(tc.ranks, m.rank) { // the next state is saved after step 4
					w := parameters(t, m.Trainer)
					w[len(w)/2] = -w[len(w)/2] + 1e-7
					m.dev.Upload(m.step.Net.Params.Value, w)
					m.dev.ParamsChanged()
				}
				return nil
			})
			for _, m := range all {
				var unequal *ReplicasError
				if !errors.As(m.err, &unequal) || !slices.Equal(unequal.Ranks, tc.ranks) || !strings.Contains(m.err.Error(), tc.says) {
					t.Errorf("rank %d: %v", m.rank, m.err)
				}
			}
			if saved, _, err := checkpoint.Latest(kept.dir); err != nil || saved.Step != 2 {
				t.Errorf("the newest state is of step %d, %v", saved.Step, err)
			}
		})
	}
}

// An error of the first rank's records ends all ranks; whatever it is, the others hear of it.
func TestTheFirstRanksErrorsEndAll(t *testing.T) {
	full := errors.New("disk full")
	all := ranksRun(t, short(), 4, newShelf(t), false, func(m *member, step int) error {
		if m.rank == 0 && step == 3 {
			return full
		}
		return nil
	})
	for _, m := range all {
		var elsewhere *comm.ElsewhereError
		if m.rank == 0 && !errors.Is(m.err, full) || m.rank > 0 && !errors.As(m.err, &elsewhere) || comm.Lost(m.err) || m.Progress().Step > 4 {
			t.Errorf("rank %d after step %d: %v", m.rank, m.Progress().Step, m.err)
		}
	}
}

// What fails in a rank within a step, where the others wait for it, is an error that only Abort gets them out of.
func TestAnErrorWithinAStepIsAlone(t *testing.T) {
	broken := errors.New("device lost")
	all := ranksRun(t, short(), 2, newShelf(t), false, func(m *member, step int) error {
		if m.rank == 1 && step == 1 {
			m.dev.fails = broken
		}
		return nil
	})
	for _, m := range all {
		if !comm.Lost(m.err) {
			t.Errorf("rank %d: %v", m.rank, m.err)
		}
	}
}
