package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"jem/comm"
	"jem/config"
	"jem/config/settings"
	"jem/feed"
	"jem/feed/feedtest"
	"jem/train/step"
)

// dice draw recipes.
type dice struct{ *rand.Rand }

func oneOf[T any](d dice, values ...T) T { return values[d.IntN(len(values))] }

// negative draws one of all choices, of few moves.
func (d dice) negative() config.Negative {
	n := config.Negative{
		Start: oneOf(d, "labeled", "data", "outliers", "uniform", "gaussian"), Label: oneOf(d, "labeled", "data", "uniform"),
		Climb: oneOf(d, "log_px", "logit", "cross_entropy", "energy"), Move: oneOf(d, "sign", "unit", "langevin"),
		Keep: oneOf(d, "all", "box", "linf", "l2"), Steps: d.IntN(3), StepSize: oneOf[float32](d, 0.01, 0.2), Radius: oneOf[float32](d, 0, 0.1, 1),
		Scatter: d.IntN(2) == 0, BatchStats: d.IntN(2) == 0, Window: 1,
	}
	if d.IntN(3) == 0 {
		n.Gaussians = 0.5
	}
	if n.Move == "langevin" {
		n.Noise, n.GradClip = oneOf[float32](d, 0, 0.1), oneOf[float32](d, 0, 1)
	}
	if d.IntN(3) == 0 {
		n.MaxSteps = 3
	}
	return n
}

func (d dice) objective() config.Objective {
	weight := func() float32 { return oneOf[float32](d, 0, 0, 1) }
	return config.Objective{
		PX: weight(), PYX: weight(), PXY: weight(), L2: weight() / 100, ClassCond: d.IntN(3) == 0,
		Attacked: weight(), AttackedPX: weight() / 10, BCE: weight(),
	}
}

// recipe draws a configuration on toy images, valid or not.
func (d dice) recipe() config.Config {
	c, toy := config.Default(), feedtest.ToyConfig()
	c.Model.Depth, c.Model.Width, c.Model.Norm, c.Model.Centre = toy.Model.Depth, toy.Model.Width, oneOf(d, "none", "batch", "layer"), d.IntN(2) == 0
	c.Model.Dropout, c.Optim.ClipNorm = oneOf[float32](d, 0, 0.3), oneOf[float32](d, 0, 1)
	c.Objective, c.Attack, c.Dream = d.objective(), d.negative(), d.negative()
	c.Data.SharedStream, c.Data.LabelsPerClass = d.IntN(2) == 0, oneOf(d, -1, 4)
	c.Outliers.Name = oneOf(d, "", "distorted")
	c.Sampler.Steps, c.Sampler.Buffer, c.Sampler.Start, c.Sampler.BatchStats = 1+d.IntN(2), 40, oneOf(d, "uniform", "gaussian"), d.IntN(2) == 0
	c.SAM = config.SAM{Rho: oneOf[float32](d, 0, 0.1), Adaptive: d.IntN(2) == 0, Every: 1 + d.IntN(2)}
	c.Optim.Name, c.Optim.Warmup, c.Optim.EMA = oneOf(d, "adam", "sgd"), 0, oneOf[float32](d, 0, 0.9)
	c.Train.Batch, c.Train.LabeledBatch, c.Train.Steps, c.Train.FrozenStats = 4, oneOf(d, 0, 0, 8), 3, d.IntN(3) == 0
	c.Train.Schedule = d.schedule()
	c.Guard = toy.Guard
	return c
}

func (d dice) schedule() (all []string) {
	paths := []string{"objective.p_x", "objective.attacked", "objective.bce", "objective.p_y_given_x", "objective.p_x_y", "attack.steps", "attack.radius", "dream.steps", "dream.step_size", "sampler.steps", "sam.rho"}
	for range d.IntN(3) {
		all = append(all, fmt.Sprintf("%s %s", oneOf(d, paths...), oneOf(d, "0@0% 1@100%", "1@0% 0@100%", "0@1 1@2", "1@2")))
	}
	return all
}

// sourcesOf are toy images in the streams that a configuration has, and no others.
func sourcesOf(c config.Config) feed.Sources {
	src := recipeSources(c)
	if !c.Draws(config.StreamData) {
		src.PX = nil
	}
	if !c.Draws(config.StreamOutliers) {
		src.Outliers = nil
	}
	if !c.FromGaussians() {
		src.Gaussian = nil
	}
	src.Test = nil
	return src
}

// Whatever a recipe is put together of, it is refused with the name of a setting, or it runs with finite
// numbers, and goes on to the bits of a run that was not interrupted, also where it returns.
func TestAnyRecipeIsRefusedOrGoesOnToTheBit(t *testing.T) {
	const wanted = 40
	known := config.Default()
	for seed, run := uint64(1), 0; run < wanted; seed++ {
		c := dice{rand.New(rand.NewPCG(seed, 0))}.recipe()
		if err := config.Validate(c); err != nil {
			refusedBySetting(t, &known, err)
			continue
		}
		run++
		if t.Run(fmt.Sprint(seed), func(t *testing.T) { goesOnToTheBit(t, c) }); t.Failed() {
			t.Logf("%+v", c)
			return
		}
	}
}

func refusedBySetting(t *testing.T, known *config.Config, err error) {
	t.Helper()
	var refused *settings.Error
	if !errors.As(err, &refused) {
		t.Fatalf("%v is no refusal of settings", err)
	}
	keys := settings.Keys(known)
	for _, f := range refused.Faults {
		if !slices.ContainsFunc(keys, func(k settings.Key) bool { return k.Path == f.Path }) && f.Path != "objective" || f.Problem == "" {
			t.Errorf("%q: %q", f.Path, f.Problem)
		}
	}
}

func goesOnToTheBit(t *testing.T, c config.Config) {
	fresh := func() *Trainer {
		tr, err := New(open(t, 1), c, sourcesOf(c), comm.Local{})
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	whole, kept, r := fresh(), newShelf(t), &recorder{}
	for range c.Train.Steps - 1 {
		if err := whole.advance(context.Background(), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	kept.put(t, whole)
	saved, _, err := kept.Before(c.Train.Steps)
	if err != nil {
		t.Fatal(err)
	}
	resumed := fresh()
	if err := resumed.Restore(saved); err != nil {
		t.Fatal(err)
	}
	for _, tr := range []*Trainer{whole, resumed} {
		if err := tr.Run(context.Background(), r, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range r.steps {
		if !finite(s.L) || !finite(s.GradNorm) {
			t.Errorf("step %d: L %v, gradient norm %v", s.Step, s.L, s.GradNorm)
		}
	}
	end := parameters(t, whole)
	if !same(end, parameters(t, resumed)) {
		t.Error("other weights")
	}
	if err := errors.Join(whole.Restore(saved), whole.Run(context.Background(), r, nil)); err != nil || !same(end, parameters(t, whole)) {
		t.Errorf("other weights after a return (%v)", err)
	}
}

// A state with further moves than the curriculum allows is of another configuration.
func TestMovesBeyondTheCurriculumAreRefused(t *testing.T) {
	c := toyRecipe(t, "dat-small")
	tr, kept := newRecipe(t, c, 1), newShelf(t)
	tr.progress.Curricula = map[string]step.Curriculum{"dream": {Steps: 1 << 40}}
	kept.put(t, tr)
	saved, _, err := kept.Before(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := newRecipe(t, c, 1).Restore(saved); err == nil || !strings.HasPrefix(err.Error(), "dream.max_steps: 10, but ") {
		t.Errorf("got %v", err)
	}
}

// What a scheduled setting is without its schedule makes no difference.
func TestScheduleReplacesTheSetting(t *testing.T) {
	c := toyRecipe(t, "eb-jdat-small")
	c.Train.Steps, c.Objective.BCE, c.Outliers.Name, c.SAM.Rho = 3, 1, "distorted", 0.1
	c.Dream.MaxSteps, c.Dream.Steps, c.Dream.Move = 0, 2, "langevin"
	for path, values := range map[string][2]float64{
		"objective.p_x": {0, 1}, "objective.p_y_given_x": {0, 1}, "objective.p_x_y": {0, 1}, "objective.l2": {0, 1}, "objective.attacked": {0, 1},
		"objective.attacked_p_x": {0, 1}, "objective.bce": {0, 1},
		"sampler.steps": {1, 3}, "sampler.step_size": {0.1, 1}, "sampler.noise": {0, 0.1},
		"attack.steps": {1, 3}, "attack.step_size": {0.01, 0.1}, "attack.radius": {0.01, 0.1},
		"dream.steps": {1, 3}, "dream.step_size": {0.1, 1}, "dream.noise": {0, 0.1}, "optim.lr": {1e-4, 1e-2}, "sam.rho": {0, 1},
	} {
		t.Run(path, func(t *testing.T) {
			var ends [2][]float32
			for i, own := range values {
				c := c
				settings.SetNumber(&c, path, own)
				c.Train.Schedule = []string{fmt.Sprintf("%s %g@0 %g@2", path, values[0], values[1])}
				if err := config.Validate(c); err != nil {
					t.Fatal(err)
				}
				tr := newRecipe(t, c, 1)
				if err := tr.Run(context.Background(), &recorder{}, nil); err != nil {
					t.Fatal(err)
				}
				ends[i] = parameters(t, tr)
			}
			if !same(ends[0], ends[1]) {
				t.Errorf("a run of the schedule ends otherwise where the setting was %g than where it was %g", values[0], values[1])
			}
		})
	}
}
