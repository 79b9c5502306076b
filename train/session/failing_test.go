package session_test

import (
	"errors"
	"testing"

	"jem/comm"
	"jem/predict"
	"jem/train"
	"jem/train/session"
	"jem/train/step"
)

// failing is an observer that fails once, at the first of one kind of event.
type failing struct {
	at    string
	fired bool
}

var errTold = errors.New("nobody to tell")

func (f *failing) fail(at string) error {
	if at != f.at || f.fired {
		return nil
	}
	f.fired = true
	return errTold
}

func (f *failing) Step(*step.Record) error                 { return f.fail("step") }
func (f *failing) Evaluated(int, *predict.Judgement) error { return f.fail("evaluated") }
func (f *failing) Sampled(int, *predict.Samples) error     { return f.fail("sampled") }
func (f *failing) Saved(int, string) error                 { return f.fail("saved") }
func (f *failing) RolledBack(*train.DivergedError, train.Rollback) error {
	return f.fail("rolled back")
}
func (f *failing) Note(int, string) error { return f.fail("note") }

// Whatever the first rank's observer fails at, all ranks end after the same round with one of them saying why, and
// the run goes on to the end of one that nothing happened to.
func TestAFailingObserverEndsAllRanks(t *testing.T) {
	whole := newCrew(t, 2)
	whole.train(t, session.Create, -1)
	for _, at := range []string{"step", "evaluated", "sampled", "saved", "rolled back"} {
		t.Run(at, func(t *testing.T) {
			c, o := newCrew(t, 2), &failing{at: at}
			for _, f := range c {
				f.Config.Data.Dir = whole[0].Config.Data.Dir
				if at == "rolled back" {
					f.Config.Guard.MaxGap, f.Config.Guard.Budget = 1e-9, 1
				}
			}
			for rank, e := range c.train(t, session.Create, -1, o) {
				var elsewhere *comm.ElsewhereError
				if rank == 0 && !errors.Is(e.err, errTold) || rank > 0 && !errors.As(e.err, &elsewhere) || comm.Lost(e.err) {
					t.Errorf("rank %d: %v", rank, e.err)
				}
			}
			if !o.fired {
				t.Fatal("nothing was told")
			}
			if at == "rolled back" {
				return // a guard as narrow lets no run come to its end
			}
			for rank, e := range c.train(t, session.Begin, -1) {
				if e.err != nil || !e.s.Trainer.Done() {
					t.Fatalf("rank %d: %v", rank, e.err)
				}
			}
			is := files(t, c[0].Folder, 3)
			for name, want := range files(t, whole[0].Folder, 3) {
				if is[name] != want {
					t.Errorf("%s is another in the end", name)
				}
			}
		})
	}
}
