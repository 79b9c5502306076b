package config

import (
	"math"
	"strings"
	"testing"

	"jem/config/settings"
	"jem/sampler"
)

func TestScheduleIsLinearBetweenItsPlaces(t *testing.T) {
	c := Default()
	c.Train.Schedule = []string{"objective.l2 0.03@50% 0.01@100%", "attack.steps 2@100 5@101", "optim.lr 1@0 3@10"}
	for _, tc := range []struct {
		step   int
		l2, lr float32
		steps  int
	}{{0, 0.03, 1, 2}, {5, 0.03, 2, 2}, {10, 0.03, 3, 2}, {100, 0.03, 3, 2}, {101, 0.0298, 3, 5}, {150, 0.02, 3, 5}, {200, 0.01, 3, 5}, {999, 0.01, 3, 5}} {
		now := c.At(tc.step, 200)
		if math.Abs(float64(now.Objective.L2-tc.l2)) > 1e-7 || now.Optim.LR != tc.lr || now.Attack.Steps != tc.steps {
			t.Errorf("step %d: l2 %g, rate %g, %d moves", tc.step, now.Objective.L2, now.Optim.LR, now.Attack.Steps)
		}
	}
	if ever := c.Ever(); ever.Objective.L2 != 0.03 || ever.Attack.Steps != 5 {
		t.Errorf("the largest values are %g and %d", ever.Objective.L2, ever.Attack.Steps)
	}
	if c.Objective.L2 != 0 {
		t.Error("the configuration itself has changed")
	}
}

// A term that comes in later brings its images with it then, and no passes before.
func TestPhasesAreWeights(t *testing.T) {
	c, err := Preset("dat-small")
	if err != nil {
		t.Fatal(err)
	}
	parts := func(step int) int { now := c.At(step, 6000); return len(now.Parts()) }
	if a, b := parts(1000), parts(3000); a != 1 || b != 3 {
		t.Errorf("%d parts in the first phase, %d in the second: want attacked images, then data and dreams beside", a, b)
	}
}

func TestRecipesAreRefusedWithReasons(t *testing.T) {
	for name, tc := range map[string]struct{ set, want string }{
		"ball without a start": {"dream.keep=l2 dream.start=uniform objective.bce=1", "dream.keep: l2 keeps images in a ball around those that they begin at"},
		"radius 0":             {"attack.radius=0 objective.attacked=1", "attack.radius: 0: a ball of radius 0"},
		"scatter without ball": {"attack.keep=box attack.scatter=true objective.attacked=1", "attack.scatter: true, but there is no ball"},
		"no outliers":          {"objective.bce=1", "dream.start: outliers, but outliers.name is empty"},
		"labels not known":     {"objective.bce=1 dream.start=gaussian data.labels_per_class=10", "dream.label: data: with data.labels_per_class=10"},
		"batches that differ":  {"objective.bce=1 dream.start=gaussian dream.label=labeled train.labeled_batch=32", "dream.label: labeled: the 64 images a step"},
		"noise of a sign":      {"objective.attacked=1 attack.noise=0.1", "attack.noise: 0.1 and attack.grad_clip=0 are of attack.move=langevin"},
		"curriculum down":      {"objective.bce=1 dream.start=gaussian dream.max_steps=3", "dream.max_steps: 3 is below dream.steps = 10"},
		"curriculum of what":   {"objective.attacked=1 objective.p_x=0 attack.max_steps=20", "attack.max_steps: 20: moves grow by how well"},
		"never moves":          {"objective.attacked=1 attack.steps=0", "attack.steps: 0: images that never move"},
		"unknown move":         {"objective.attacked=1 attack.move=jump", `attack.move: unknown name "jump": want sign, unit, langevin`},
		"frozen what":          {"train.frozen_stats=true", "train.frozen_stats: true, but a network with model.norm=none"},
		"no place":             {"train.schedule=objective.l2", `train.schedule: "objective.l2": want a setting and its values`},
		"fixed setting":        {"train.schedule=model.width:1@0", `model.width:1@0`},
		"wrong setting":        {"train.schedule=objective.lr␣1@0", "objective.lr doesn't change within a run: did you mean"},
		"places that fall":     {"train.schedule=optim.lr␣1@10␣2@5", "2@5: want places in rising order"},
		"mixed places":         {"train.schedule=optim.lr␣1@10␣2@50%", "2@50%: want places in rising order"},
		"beyond the end":       {"train.schedule=optim.lr␣1@150%", "1@150%: want a value and where it holds"},
		"bad value":            {"train.schedule=objective.p_x␣-1@0", "train.schedule: objective.p_x: -1: want 0 or a number above"},
		"nothing for a while":  {"objective.p_y_given_x=0 train.steps=10 train.schedule=objective.p_x␣0@50%␣1@100%", "train.schedule: all weights of the objective are 0 after 0 of the run's 10 steps"},
		"nothing at the end":   {"objective.p_y_given_x=0 train.schedule=objective.p_x␣1@0␣0@100", "train.schedule: all weights of the objective are 0 after 100 of the run's"},
		"later, bad":           {"outliers.name=distorted train.schedule=objective.bce␣0@1␣1@2,dream.step_size␣0@0␣1@1", "train.schedule: dream.step_size: 0: want a number above 0"},
		"later, too large":     {"train.labeled_batch=8 train.schedule=objective.p_x_y␣0@1␣1@2", "train.labeled_batch: 8, but log p(x,y)"},
		"later, no multiple":   {"sampler.buffer=99 train.schedule=objective.p_x_y␣0@1␣1@2", "sampler.buffer: 99 is no multiple of the 10 classes"},
		"two say how many":     {"outliers.name=distorted objective.bce=1 dream.max_steps=20 train.schedule=dream.steps␣1@1␣2@2", "train.schedule: dream.steps: with dream.max_steps=20 a curriculum"},
		"classes of none":      {"outliers.name=distorted objective.attacked=1 attack.start=outliers", "attack.start: outliers, which have no class"},
		"classes of others":    {"objective.attacked=1 attack.start=data", "attack.label: labeled, but objective.attacked learns the classes of attacked images"},
		"classes at random":    {"objective.attacked=1 attack.label=uniform", "attack.label: uniform, but objective.attacked learns"},
		"one label":            {"data.labels_per_class=1 sampler.start=gaussian", "data.labels_per_class: 1, but images begin at their class's Gaussian"},
		"too many":             {"train.schedule=sampler.steps␣1e30@0", "train.schedule: sampler.steps: 9007199254740992 is above 2147483647"},
		"twice":                {"train.schedule=optim.lr␣1@0,optim.lr␣2@0", "optim.lr is given twice"},
	} {
		var layers []settings.Layer
		for _, o := range strings.Fields(tc.set) {
			layers = append(layers, settings.Option("--set", strings.ReplaceAll(o, "␣", " ")))
		}
		if _, err := Load("", layers...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v\nwant %s", name, err, tc.want)
		}
	}
}

// A preset's schedule isn't what a setting given beside it silently gives way to.
func TestSettingsThatAScheduleOverrulesAreRefused(t *testing.T) {
	option := func(o string) settings.Layer { return settings.Option("--set", o) }
	for want, layers := range map[string][]settings.Layer{
		`attack.radius: train.schedule has "attack.radius 0@0% 0.0314@17%", so that this has no effect`: {option("attack.radius=0.05")},
		"": {option("attack.radius=0.05"), option("train.schedule=attack.radius 0.01@0 0.05@100")},
	} {
		if _, err := Load("at-small", layers...); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	c, err := Preset("at-small")
	if err != nil {
		t.Fatal(err)
	}
	if whole, err := Document(c); err != nil {
		t.Error(err)
	} else if _, err := LoadRun(settings.YAML("config.yaml", []byte(whole))); err != nil {
		t.Errorf("a run's own configuration is refused: %v", err)
	}
}

// Samples of a run of attacked images are drawn as dreams would be.
func TestMovesOfSamplesAreChecked(t *testing.T) {
	for set, want := range map[string]string{"dream.move=jump": `dream.move: unknown name "jump"`, "dream.steps=-5": "dream.steps: -5 is below 0", "dream.climb=unused": ""} {
		if _, err := Load("at-small", settings.Option("--set", set)); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", set, err, want)
		}
	}
	c := Default()
	c.Objective, c.Dream.Keep = Objective{Attacked: 1}, "l2"
	if _, boxed := c.Generation().Move.(sampler.Boxed); !boxed {
		t.Errorf("samples move as %+v: want pixels in [-1,1]", c.Generation().Move)
	}
}

// What no term needs isn't looked at: half a recipe may stand in a file.
func TestUnusedNegativesAreLeftAlone(t *testing.T) {
	if _, err := Load("", settings.Option("--set", "dream.move=jump")); err != nil {
		t.Error(err)
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add("objective.l2 0.03@67% 0@100%")
	f.Add("optim.lr 1@0 3@10")
	f.Add("optim.lr 1e38@0% -1@1e-9%")
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		c.Train.Schedule = []string{text}
		if Validate(c) != nil {
			return
		}
		for _, step := range []int{0, 1, 7, 100, 1 << 30} {
			now := c.At(step, 100)
			if now.Train.Schedule = nil; Validate(now) != nil {
				t.Fatalf("%q: not valid after %d steps: %v", text, step, Validate(now))
			}
		}
	})
}

// Each setting that a schedule may have is the one of its path.
func TestScheduledSettingsAreFoundByTheirPaths(t *testing.T) {
	for _, path := range scheduled {
		c := Default()
		settings.SetNumber(&c, path, 7)
		if changes := settings.Diff(Default(), c); len(changes) != 1 || changes[0].Path != path {
			t.Errorf("%s: %v", path, changes)
		}
	}
}
