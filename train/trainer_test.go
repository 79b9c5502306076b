package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/comm"
	"jem/config"
	"jem/feed/feedtest"
	"jem/predict"
	"jem/train/step"
)

func open(t testing.TB, threads int) backend.Device {
	t.Helper()
	d, err := cpu.Open(cpu.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// recorder keeps what an observer is told.
type recorder struct {
	steps   []step.Record
	evals   []predict.Accuracy
	samples []*predict.Samples
	saved   []string

	rollbacks []Rollback
}

func (r *recorder) Step(s *step.Record) error { r.steps = append(r.steps, *s); return nil }
func (r *recorder) Evaluated(_ int, a *predict.Judgement) error {
	r.evals = append(r.evals, a.Accuracy)
	return nil
}
func (r *recorder) Sampled(_ int, s *predict.Samples) error {
	r.samples = append(r.samples, s)
	return nil
}
func (r *recorder) Saved(_ int, path string) error { r.saved = append(r.saved, path); return nil }
func (r *recorder) RolledBack(d *DivergedError, b Rollback) error {
	r.rollbacks = append(r.rollbacks, b)
	return nil
}
func (r *recorder) Note(step int, text string) error { return fmt.Errorf("step %d: %s", step, text) }

func run(t testing.TB, cfg config.Config, threads int) (*Trainer, *recorder) {
	t.Helper()
	tr, err := New(open(t, threads), cfg, feedtest.ToySources(cfg.Train.Batch), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	if err := tr.Run(context.Background(), r, nil); err != nil {
		t.Fatal(err)
	}
	return tr, r
}

func parameters(t testing.TB, tr *Trainer) []float32 {
	t.Helper()
	w := make([]float32, tr.step.Net.Params.Len())
	if err := tr.dev.Download(w, tr.step.Net.Params.Value); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTrainingLearnsAToyProblem(t *testing.T) {
	cfg := feedtest.ToyConfig()
	cfg.Train.Steps = 120
	_, r := run(t, cfg, 2)
	last := r.evals[len(r.evals)-1]
	if last.Images != 150 || last.Accuracy < 0.95 {
		t.Errorf("%v after %d steps; four separated blobs should be at 95 %% or above", last, len(r.steps))
	}
	if len(r.samples) < 2 || len(r.samples[0].Class) != cfg.Sampler.Buffer {
		t.Errorf("%d sample sets, want the start's and the end's with all %d chains", len(r.samples), cfg.Sampler.Buffer)
	}
}

// Every objective and norm must run, with finite numbers and weights that move.
func TestObjectivesAndNorms(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"published":         func(c *config.Config) { c.Objective = config.Objective{PX: 1, PYX: 1} },
		"joint":             func(c *config.Config) { c.Objective = config.Objective{PXY: 1} },
		"all terms":         func(c *config.Config) { c.Objective = config.Objective{PX: 1, PYX: 1, PXY: 1, L2: 0.1} },
		"class-conditional": func(c *config.Config) { c.Objective.ClassCond = true },
		"density only":      func(c *config.Config) { c.Objective = config.Objective{PX: 1} },
		"softmax only":      func(c *config.Config) { c.Objective = config.Objective{PYX: 1} },
		"shared stream":     func(c *config.Config) { c.Data.SharedStream = true },
		"batch norm":        func(c *config.Config) { c.Model.Norm = "batch" },
		"batch norm joint":  func(c *config.Config) { c.Model.Norm, c.Objective = "batch", config.Objective{PXY: 1} },
		"instance norm":     func(c *config.Config) { c.Model.Norm = "instance" },
		"layer norm":        func(c *config.Config) { c.Model.Norm = "layer" },
		"dropout":           func(c *config.Config) { c.Model.Dropout = 0.3 },
		"sgd, ema, clip": func(c *config.Config) {
			c.Optim.Name, c.Optim.Momentum, c.Optim.EMA, c.Optim.ClipNorm = "sgd", 0.9, 0.99, 1
		},
		"warm-up, decay": func(c *config.Config) { c.Optim.Warmup, c.Sampler.StepDecay, c.Sampler.NoiseDecay = 3, 0.9, 0.9 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := feedtest.ToyConfig()
			cfg.Train.Steps = 4
			change(&cfg)
			tr, r := run(t, cfg, 2)
			fresh, err := New(open(t, 1), cfg, feedtest.ToySources(8), comm.Local{})
			if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(parameters(t, tr), parameters(t, fresh)) {
				t.Error("the weights have not moved")
			}
			for _, s := range r.steps {
				if !finite(s.L) || !finite(s.GradNorm) || s.GradNorm == 0 {
					t.Errorf("step %d: L %v, gradient norm %v", s.Step, s.L, s.GradNorm)
				}
			}
		})
	}
}

func TestThreadsDoNotChangeTheRun(t *testing.T) {
	cfg := feedtest.ToyConfig()
	cfg.Train.Steps = 6
	cfg.Objective = config.Objective{PX: 1, PYX: 1, PXY: 1}
	one, _ := run(t, cfg, 1)
	for _, threads := range []int{2, 5} {
		many, _ := run(t, cfg, threads)
		if !slices.Equal(parameters(t, one), parameters(t, many)) {
			t.Errorf("%d threads end with other weights than one", threads)
		}
	}
}

// A poisoned weight, gradient, chain or image must stop the run before the weights change.
func TestDivergenceLeavesWeightsUntouched(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, poison := range map[string]func(*Trainer){
		"NaN weight":      func(tr *Trainer) { tr.dev.Fill(tr.dev.View(tr.step.Net.Params.Value, 200, 1), nan) },
		"infinite weight": func(tr *Trainer) { tr.dev.Fill(tr.dev.View(tr.step.Net.Params.Value, 200, 1), inf) },
		"huge bias of a class": func(tr *Trainer) {
			tr.dev.Fill(tr.dev.View(tr.step.Net.Params.Value, tr.step.Net.Params.Len()-1, 1), 1e9)
		},
		"NaN in the buffer": func(tr *Trainer) { tr.dev.Fill(tr.step.Buffer.Images, nan) },
	} {
		t.Run(name, func(t *testing.T) {
			tr, err := New(open(t, 2), feedtest.ToyConfig(), feedtest.ToySources(8), comm.Local{})
			if err != nil {
				t.Fatal(err)
			}
			tr.cfg.Train.MaxLoss = 1e6
			poison(tr)
			tr.dev.ParamsChanged()
			before := parameters(t, tr)
			err = tr.Run(context.Background(), &recorder{}, nil)
			var d *DivergedError
			if !errors.As(err, &d) || d.Step != 1 {
				t.Fatalf("got %v, want a DivergedError of step 1", err)
			}
			for i, v := range parameters(t, tr) {
				if v != before[i] && !(v != v && before[i] != before[i]) {
					t.Fatalf("weight %d changed from %v to %v", i, before[i], v)
				}
			}
		})
	}
}

func TestCancelledRunSaves(t *testing.T) {
	tr, err := New(open(t, 1), feedtest.ToyConfig(), feedtest.ToySources(8), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := &recorder{}
	err = tr.Run(ctx, r, newShelf(t))
	if !errors.Is(err, context.Canceled) || len(r.saved) != 1 || len(r.steps) != 0 {
		t.Errorf("error %v, saved %v, %d steps", err, r.saved, len(r.steps))
	}
}
