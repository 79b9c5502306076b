package train

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/comm"
	"jem/config"
	"jem/feed/feedtest"
	"jem/internal/checkpoint"
	"jem/model"
	"jem/train/step"
)

// shelf keeps checkpoints in a folder.
type shelf struct {
	dir   string
	store *checkpoint.Store
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	dir := t.TempDir()
	s, err := checkpoint.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &shelf{dir, s}
}

func (s *shelf) Save(t *Trainer) (func() (string, error), error) {
	taken, err := t.Snapshot(nil)
	return func() (string, error) { return taken.Write(s.store) }, err
}

// put saves the trainer's state at once.
func (s *shelf) put(tb testing.TB, t *Trainer) (path string) {
	tb.Helper()
	write, err := s.Save(t)
	if err == nil {
		path, err = write()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func (s *shelf) Before(step int) (*checkpoint.Checkpoint, []error, error) {
	return checkpoint.Before(s.dir, step, nil)
}
func (s *shelf) At(step int) (*checkpoint.Checkpoint, error) {
	return checkpoint.At(s.dir, step, Usable)
}
func (s *shelf) Return(c *checkpoint.Checkpoint) error {
	_, err := s.store.Discard(c.Step)
	return err
}

// poison spoils a run at steps of its choice.
type poison struct {
	feedtest.Training
	step func(step int) // called before the data of each step are taken
}

func (p *poison) Batch(step int) ([]float32, []int32, error) {
	p.step(step)
	return p.Training.Batch(step % (1 << 24))
}

// crooked is a device that can report a false sum of squares, which is the square of the
// gradient's norm, or false logits.
type crooked struct {
	backend.Device
	grad, logits func(v []float32)
	fails        error // of all that is read
}

func (d *crooked) Download(dst []float32, src backend.Tensor) error {
	err := errors.Join(d.fails, d.Device.Download(dst, src))
	if shape := src.Shape(); len(shape) == 1 && shape[0] == 1 {
		d.grad(dst)
	} else if len(shape) == 2 && shape[1] == feedtest.ToyClasses {
		d.logits(dst)
	}
	return err
}

// injected is a trainer that is poisoned from step from on, so many times.
type injected struct {
	*Trainer
	dev     *crooked
	left    int
	weights []float32 // just before the first poisoned step
}

func inject(t *testing.T, cfg config.Config, from, times int, spoil func(*injected, float32), value float32) *injected {
	t.Helper()
	in := &injected{dev: &crooked{Device: open(t, 1)}, left: times}
	keep := func([]float32) {}
	in.dev.grad, in.dev.logits = keep, keep
	src := feedtest.ToySources(cfg.Train.Batch)
	stream := &poison{Training: feedtest.Training{Toy: feedtest.Toy{N: 64, StepBatch: cfg.Train.Batch}}}
	src.PX, src.Labeled = stream, stream
	var err error
	if in.Trainer, err = New(in.dev, cfg, src, comm.Local{}); err != nil {
		t.Fatal(err)
	}
	done := -1 // Batch is called once a stream
	stream.step = func(step int) {
		if done == step {
			return
		}
		done = step
		in.dev.grad, in.dev.logits = keep, keep
		if step%(1<<24) != from || in.left == 0 {
			return
		}
		in.left--
		spoil(in, value)
		in.weights = parameters(t, in.Trainer)
	}
	return in
}

var spoilers = map[string]func(*injected, float32){
	"loss": func(in *injected, v float32) {
		in.dev.logits = func(l []float32) { l[0] = v }
	},
	"gradient": func(in *injected, v float32) {
		in.dev.grad = func(s []float32) { s[0] = min(v, 1e9) * min(v, 1e9) }
	},
	"buffer": func(in *injected, v float32) { in.Trainer.dev.Fill(in.step.Buffer.Images, v) },
	"weight": func(in *injected, v float32) {
		in.Trainer.dev.Fill(in.Trainer.dev.View(in.step.Net.Params.Value, in.step.Net.Params.Len()-1, 1), v)
		in.Trainer.dev.ParamsChanged()
	},
}

var poisons = map[string]float32{"NaN": float32(math.NaN()), "Inf": float32(math.Inf(1)), "1e9": 1e9}

func guarded() config.Config {
	cfg := feedtest.ToyConfig()
	cfg.Guard = config.Default().Guard
	cfg.Sampler.Clamp = false // it would heal what is beyond it
	cfg.Train.Steps, cfg.Train.SaveEvery = 12, 4
	return cfg
}

// same compares bit patterns, so that NaN equals itself.
func same(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestPoisonIsRolledBack(t *testing.T) {
	for where, spoil := range spoilers {
		for what, value := range poisons {
			t.Run(what+" in the "+where, func(t *testing.T) {
				in := inject(t, guarded(), 6, 1, spoil, value)
				r := &recorder{}
				if err := in.Run(context.Background(), r, newShelf(t)); err != nil {
					t.Fatal(err)
				}
				if len(r.rollbacks) != 1 || r.rollbacks[0].At != 7 || r.rollbacks[0].To != 4 || r.rollbacks[0].Reason == "" {
					t.Errorf("rollbacks %+v, want one from step 7 to 4", r.rollbacks)
				}
				if p := in.Progress(); p.Step != 12 || p.Reseed != 1 {
					t.Errorf("ended with %+v", p)
				}
				if last := r.steps[len(r.steps)-1]; last.LR != 0.5e-3 {
					t.Errorf("the learning rate is %v, want it halved", last.LR)
				}
			})
		}
	}
}

func TestLastingPoisonSpendsTheBudget(t *testing.T) {
	for where, spoil := range spoilers {
		for what, value := range poisons {
			t.Run(what+" in the "+where, func(t *testing.T) {
				cfg := guarded()
				cfg.Guard.Budget = 3
				in := inject(t, cfg, 6, -1, spoil, value)
				r := &recorder{}
				err := in.Run(context.Background(), r, newShelf(t))
				var d *DivergedError
				if !errors.As(err, &d) || d.Step != 7 || len(d.Rollbacks) != 3 || len(r.rollbacks) != 3 {
					t.Fatalf("got %v after %d rollbacks, want a DivergedError after 3", err, len(r.rollbacks))
				}
				// A checkpoint after which it diverged again is not trusted.
				if to := []int{r.rollbacks[0].To, r.rollbacks[1].To, r.rollbacks[2].To}; !slices.Equal(to, []int{4, 0, 0}) {
					t.Errorf("went back to %v, want 4, then 0", to)
				}
				if !same(parameters(t, in.Trainer), in.weights) {
					t.Error("the refused step changed weights")
				}
				if !strings.Contains(err.Error(), "gave up after 3 rollbacks") {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// lame is a shelf from which no state comes back.
type lame struct {
	*shelf
	unreadable, unremovable error
}

func (l lame) Before(step int) (*checkpoint.Checkpoint, []error, error) {
	if l.unreadable != nil {
		return nil, nil, l.unreadable
	}
	return l.shelf.Before(step)
}

func (l lame) Return(*checkpoint.Checkpoint) error { return l.unremovable }

// A fault on the way back is what ends the run, and not the divergence, after which nobody would start it again; that there
// is nothing to go back to is the divergence's.
func TestAFaultOnTheWayBackIsNoDivergence(t *testing.T) {
	broken := &fs.PathError{Op: "read", Path: "model", Err: errors.New("input/output error")}
	for name, k := range map[string]lame{"unreadable": {unreadable: broken}, "unremovable": {unremovable: broken}, "nothing": {unreadable: checkpoint.ErrNone}} {
		t.Run(name, func(t *testing.T) {
			k.shelf = newShelf(t)
			in := inject(t, guarded(), 4, 1, spoilers["loss"], poisons["NaN"])
			err := in.Run(t.Context(), &recorder{}, k)
			var diverged *DivergedError
			if errors.As(err, &diverged) != (name == "nothing") || errors.Is(err, broken) == (name == "nothing") || !strings.Contains(err.Error(), "diverged") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Rollbacks long ago do not count, and a later divergence trusts the newest checkpoint.
func TestBudgetAndSuspicionAreOfAWindow(t *testing.T) {
	cfg := guarded()
	cfg.Guard.Budget, cfg.Guard.Period, cfg.Guard.Suspect = 2, 100, 10
	tr := &Trainer{cfg: cfg}
	tr.progress.Rollbacks = []Rollback{{At: 50, To: 40}, {At: 90, To: 80}}
	for step, want := range map[int]bool{91: true, 149: true, 150: false, 189: false} {
		if tr.spent(step) != want {
			t.Errorf("step %d: spent %v", step, !want)
		}
	}
	tr.cfg.Guard.Period = 0
	if !tr.spent(10000) {
		t.Error("a period of 0 is not the whole run")
	}
}

// New random numbers, not the same course again.
func TestARollbackDrawsNewNumbers(t *testing.T) {
	in := inject(t, guarded(), 6, 1, spoilers["loss"], poisons["NaN"])
	r := &recorder{}
	if err := in.Run(context.Background(), r, newShelf(t)); err != nil {
		t.Fatal(err)
	}
	// Steps 5, 6 were taken twice: records 4, 5 and then 6, 7.
	if r.steps[4].Step != 5 || r.steps[6].Step != 5 || r.steps[4].LogPxNeg == r.steps[6].LogPxNeg {
		t.Errorf("step %d had samples of %v, again as step %d %v", r.steps[4].Step, r.steps[4].LogPxNeg, r.steps[6].Step, r.steps[6].LogPxNeg)
	}
}

func TestGuardSeesDrift(t *testing.T) {
	g := config.Default().Guard
	tr := &Trainer{cfg: config.Config{Guard: g, Train: config.Loop{MaxLoss: 1e8}}, step: &step.Step{Batch: &step.Batch{Parts: guardedParts()}}}
	for i := range 2 * g.Window {
		tr.progress.Baseline.add(2+0.1*float64(i%3), g.Window)
	}
	for name, tc := range map[string]struct {
		change func(*step.Record)
		want   string
	}{
		"healthy":      {func(r *step.Record) { r.L = 3 }, ""},
		"spike":        {func(r *step.Record) { r.L = 23 }, "guard.spike"},
		"spike down":   {func(r *step.Record) { r.L = -19 }, "guard.spike"},
		"gap":          {func(r *step.Record) { r.LogPxPos = 101 }, "guard.max_gap"},
		"log-density":  {func(r *step.Record) { r.LogPxPos, r.LogPxNeg = 2e6, 2e6 }, "guard.max_log_px"},
		"big gradient": {func(r *step.Record) { r.GradNorm = 2e6 }, "guard.max_grad"},
		"big loss":     {func(r *step.Record) { r.L = -2e8 }, "train.max_loss"},
	} {
		r := step.Record{}
		r.L = 2
		tc.change(&r)
		if got := faults(tr, &r); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func guardedParts() []model.Part {
	cfg := guarded()
	return cfg.Parts()
}
