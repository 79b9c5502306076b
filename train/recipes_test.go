package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"jem/backend/philox"
	"jem/comm"
	"jem/config"
	"jem/feed"
	"jem/feed/feedtest"
	"jem/internal/checkpoint"
	"jem/train/step"
)

// recipes are the presets of JEM's successors, their published forms and those for a CPU.
func recipes() (names []string) {
	for _, name := range []string{"jempp", "sada-jem", "eb-jdat", "at", "dat"} {
		names = append(names, name, name+"-small")
	}
	return names
}

// toyRecipe is a recipe's step on toy images: all of its choices, on little.
func toyRecipe(t testing.TB, preset string) config.Config {
	t.Helper()
	c, err := config.Preset(preset)
	if err != nil {
		t.Fatal(err)
	}
	toy := feedtest.ToyConfig()
	c.Model.Depth, c.Model.Width = toy.Model.Depth, toy.Model.Width
	c.Sampler.Steps, c.Sampler.Buffer = 2, toy.Sampler.Buffer
	c.Attack.Steps, c.Dream.AUC, c.Dream.Window = 2, 0, 2 // an area of 0 is always reached: a curriculum that grows
	c.Optim.Warmup, c.Optim.LR = 0, min(c.Optim.LR, 1e-3)
	c.Train.Steps, c.Train.Epochs, c.Train.Batch = 12, 1, toy.Train.Batch
	if c.Train.LabeledBatch > 0 {
		c.Train.LabeledBatch = 2 * toy.Train.Batch
	}
	c.Guard = toy.Guard
	return c
}

// recipeSources are toy images with outliers, noise, and Gaussians that are all alike.
func recipeSources(c config.Config) feed.Sources {
	src := feedtest.ToySources(c.Train.Batch)
	src.Labeled = feedtest.Training{Toy: feedtest.Toy{N: 64, StepBatch: c.Train.Labeled()}}
	if c.Data.SharedStream {
		src.PX = nil
	}
	src.Outliers, src.Gaussian = outliers{c.Train.Batch}, src.Start
	return src
}

type outliers struct{ batch int }

func (o outliers) Batch(step int) ([]float32, []int32, error) {
	images := make([]float32, o.batch*feedtest.ToyPixels)
	philox.New(1, 0, philox.Test).At(step, 0).FillUniform(images, -1, 1)
	return images, make([]int32, o.batch), nil
}
func (o outliers) StepsPerEpoch() int { return 1 }

func newRecipe(t testing.TB, c config.Config, threads int) *Trainer {
	t.Helper()
	tr, err := New(open(t, threads), c, recipeSources(c), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// Every recipe runs with finite numbers and the terms that it is made of; a run that was cut short
// goes on to the bits of one that was not, on another number of threads.
func TestRecipesGoOnToTheBit(t *testing.T) {
	for _, name := range recipes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := toyRecipe(t, name)
			whole, kept, r := newRecipe(t, c, 1), newShelf(t), &recorder{}
			if err := whole.Run(context.Background(), r, nil); err != nil {
				t.Fatal(err)
			}
			last := r.steps[len(r.steps)-1]
			for _, s := range r.steps {
				if !finite(s.L) || !finite(s.GradNorm) || s.GradNorm == 0 {
					t.Errorf("step %d: L %v, gradient norm %v", s.Step, s.L, s.GradNorm)
				}
			}
			ever := c.Ever()
			if o := ever.Objective; (o.Attacked > 0) != (last.Attacked != 0) || (o.BCE > 0) != (last.BCE != 0) ||
				(o.AttackedPX > 0) != (last.AttackedPX != 0) || (o.PX > 0) != (last.PX != 0) || (ever.SAM.Rho > 0) != slices.ContainsFunc(r.steps, sharpened) {
				t.Errorf("terms of the last step: %+v", last.Terms)
			}
			if c.Dream.MaxSteps > 0 && ever.Objective.BCE > 0 && last.Moves <= c.Dream.Steps {
				t.Errorf("the curriculum stays at %d moves", last.Moves)
			}
			resumed := goOn(t, c, kept)
			if !slices.Equal(parameters(t, whole), parameters(t, resumed)) {
				t.Error("other weights")
			}
			for key, was := range whole.step.Curricula() {
				if now := resumed.step.Curricula()[key]; now.Steps != was.Steps || !slices.Equal(now.AUC, was.AUC) {
					t.Errorf("curriculum of %s: %v, uninterrupted %v", key, now, was)
				}
			}
		})
	}
}

// goOn takes seven steps, saves, and takes the rest with another trainer.
func goOn(t *testing.T, c config.Config, kept *shelf) *Trainer {
	t.Helper()
	first := newRecipe(t, c, 2)
	for range 7 {
		if err := first.advance(context.Background(), &recorder{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	kept.put(t, first)
	saved, _, err := checkpoint.Latest(kept.dir)
	if err != nil {
		t.Fatal(err)
	}
	second := newRecipe(t, c, 3)
	if err := second.Restore(saved); err != nil {
		t.Fatal(err)
	}
	if err := second.Run(context.Background(), &recorder{}, nil); err != nil {
		t.Fatal(err)
	}
	return second
}

// A diverged step of any recipe leaves weights and curricula as they were, also where they had been
// moved to worse ones.
func TestDivergedRecipesLeaveTheWeights(t *testing.T) {
	for _, name := range recipes() {
		t.Run(name, func(t *testing.T) {
			tr := newRecipe(t, toyRecipe(t, name), 1)
			tr.dev.Fill(tr.dev.View(tr.step.Net.Params.Value, 200, 1), float32(math.NaN()))
			tr.dev.ParamsChanged()
			before := parameters(t, tr)
			var diverged *DivergedError
			if err := tr.Run(context.Background(), &recorder{}, nil); !errors.As(err, &diverged) {
				t.Fatalf("got %v, want a divergence", err)
			}
			for i, v := range parameters(t, tr) {
				if v != before[i] && !(v != v && before[i] != before[i]) {
					t.Fatalf("weight %d changed from %v to %v", i, before[i], v)
				}
			}
			for key, c := range tr.step.Curricula() {
				if len(c.AUC) > 0 {
					t.Errorf("curriculum of %s: %v", key, c)
				}
			}
		})
	}
}

// A climb that leaves all numbers behind is refused by its name, with the weights back in their place.
func TestTooLargeABallOfWeights(t *testing.T) {
	for _, adaptive := range []bool{false, true} {
		c := toyRecipe(t, "at-small")
		c.SAM = config.SAM{Rho: 1e38, Adaptive: adaptive, Every: 1}
		tr := newRecipe(t, c, 1)
		before := parameters(t, tr)
		err := tr.Run(context.Background(), &recorder{}, nil)
		if diverged := (*DivergedError)(nil); !errors.As(err, &diverged) || !strings.Contains(diverged.Reason, "at the worst weights within sam.rho = 1e+38") {
			t.Errorf("got %v", err)
		}
		if !same(parameters(t, tr), before) {
			t.Error("the weights have changed")
		}
	}
}

// A loss that is another because a phase begins is no divergence; the same leap within one is.
func TestPhasesAreNoSpikes(t *testing.T) {
	c := toyRecipe(t, "at-small")
	c.Guard.Spike, c.Guard.Window = 20, 3
	for from, want := range map[string]bool{"0": true, "1e-9": false} {
		c.Train.Schedule = []string{"objective.l2 " + from + "@5 100@6"}
		err := newRecipe(t, c, 1).Run(context.Background(), &recorder{}, nil)
		diverged := (*DivergedError)(nil)
		if want && errors.As(err, &diverged) && diverged.Step == 7 || !want && (!errors.As(err, &diverged) || diverged.Step != 7) {
			t.Errorf("from %s: %v", from, err)
		}
	}
}

// quiet hears notes without a word.
type quiet struct{ recorder }

func (*quiet) Note(int, string) error { return nil }

// A run that is lengthened amid its phases goes on by the shares of its new length, and to the same bits whether it
// is interrupted then or not.
func TestLengthenedPhasesGoOnToTheBit(t *testing.T) {
	c := toyRecipe(t, "dat-small")
	at := func(steps int, saved *checkpoint.Checkpoint) *Trainer {
		c.Train.Steps = steps
		tr := newRecipe(t, c, 1)
		if saved != nil {
			if err := tr.Restore(saved); err != nil {
				t.Fatal(err)
			}
			tr.Lengthened(12)
		}
		return tr
	}
	kept, r := newShelf(t), &quiet{}
	store := func(tr *Trainer, steps int) *checkpoint.Checkpoint {
		for range steps {
			if err := tr.advance(t.Context(), r, nil); err != nil {
				t.Fatal(err)
			}
		}
		kept.put(t, tr)
		saved, _, err := kept.Before(20)
		if err != nil {
			t.Fatal(err)
		}
		return saved
	}
	early := store(at(12, nil), 6) // dreams have begun: a third of 12 is 4, of 20 it is 7
	whole, cut := at(20, early), at(20, early)
	late := store(cut, 4)
	c.Train.Steps = 20
	resumed := newRecipe(t, c, 1)
	if err := errors.Join(resumed.Restore(late), resumed.Run(t.Context(), r, nil), whole.Run(t.Context(), r, nil)); err != nil {
		t.Fatal(err)
	}
	if !same(parameters(t, whole), parameters(t, resumed)) || len(resumed.progress.Lengths) != 1 || !slices.Equal(whole.step.Curricula()["dream"].AUC, resumed.step.Curricula()["dream"].AUC) {
		t.Errorf("other weights, or lengths: %v", resumed.progress.Lengths)
	}
	dreams := map[int]bool{}
	for _, s := range r.steps {
		dreams[s.Step] = dreams[s.Step] || s.BCE != 0
	}
	if dreams[5] || !dreams[6] || dreams[7] || dreams[8] || !dreams[9] {
		t.Errorf("steps with dreams: %v", dreams)
	}
}

// A rollback returns to the curricula of its checkpoint, too.
func TestRollbacksReturnToTheCurricula(t *testing.T) {
	c := toyRecipe(t, "dat-small")
	c.Guard.Budget = 1
	tr, kept, r := newRecipe(t, c, 1), newShelf(t), &recorder{}
	steps := func(n int) {
		for range n {
			if err := tr.advance(context.Background(), r, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	steps(6)
	then := tr.step.Curricula()
	kept.put(t, tr)
	steps(5)
	if err := errors.Join(tr.rollBack(r, kept, &DivergedError{Step: 12, Reason: "said so"}), tr.arrive(r)); err != nil {
		t.Fatal(err)
	}
	if now := tr.step.Curricula(); now["dream"].Steps != then["dream"].Steps || !slices.Equal(now["dream"].AUC, then["dream"].AUC) || !slices.Equal(tr.progress.Curricula["dream"].AUC, then["dream"].AUC) {
		t.Errorf("%v, want %v", now, then)
	}
}

func sharpened(r step.Record) bool { return r.Sharpness != 0 }
