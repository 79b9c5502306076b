package experiments

import (
	"strings"
	"testing"
)

func TestSuccessorsAreTheirPresets(t *testing.T) {
	for _, s := range successors() {
		for scale, want := range map[Scale]string{Small: s.preset + "-small", Paper: s.preset} {
			if s.preset == "" {
				want = scale.preset()
			}
			all, err := lookup(s.run()).trainings(scale, false)
			if err != nil {
				t.Fatal(err)
			}
			f, err := factOf(&Lab{Options: Options{Out: t.TempDir()}}, all[0])
			if err != nil || f.Recipe != want || len(all) != s.seeds {
				t.Errorf("%s at %s: %d trainings of %s, %v", s.key, scale, len(all), f.Recipe, err)
			}
			if scale == Small && f.Steps != successorSteps {
				t.Errorf("%s takes %d steps", s.key, f.Steps)
			}
		}
	}
}

// A training that begins with another's weights waits for them, and only at full scale.
func TestTrainingsBeginWithOthers(t *testing.T) {
	dat := lookup("recipe-dat-mixed")
	small, err1 := dat.trainings(Small, false)
	paper, err2 := dat.trainings(Paper, false)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if small[0].Config.Train.Init != "" || paper[1].Config.Train.Init != "recipe-at-gentle" {
		t.Errorf("begins with %q and %q", small[0].Config.Train.Init, paper[1].Config.Train.Init)
	}
	l := &Lab{Options: Options{Scale: Paper, Out: t.TempDir()}}
	if _, err := l.before(paper[1]); !isNotRun(err) || !strings.Contains(err.Error(), "recipe-at-gentle is not trained yet") {
		t.Errorf("before its first stage: %v", err)
	}
	first, err := lookup("recipe-at-gentle").trainings(Paper, false)
	if err != nil {
		t.Fatal(err)
	}
	recorded(t, l, first[1], nil)
	if before, err := l.before(paper[1]); err != nil || before.Seed != 2 || before.hash != first[1].hash {
		t.Errorf("begins with %s, %v", before.Folder(), err)
	}
}

// What is claimed of a recipe is held against the control, and nothing is claimed from one seed.
func TestSuccessorsAreHeldAgainstTheControl(t *testing.T) {
	control := ""
	for _, c := range successorClaims(make([]Table, 4)) {
		if c.Verdict != notMeasured {
			t.Errorf("%s of empty tables: %s", c.sentence(), c.Verdict)
		}
		if strings.HasSuffix(c.sentence(), "is more robust to PGD than "+labelControl) {
			control += c.Text
		}
		for _, s := range successors() {
			if s.seeds < 2 && (strings.HasPrefix(c.Text, s.label+" ") || strings.HasPrefix(c.Text, s.label+":")) {
				t.Errorf("%s is claimed from one seed", c.sentence())
			}
		}
	}
	if want := "DAT, mixed, smaller ball is more robust to PGD"; control != want {
		t.Errorf("held against the control: %q, want %q", control, want)
	}
}

func TestSeenSetsSaySo(t *testing.T) {
	c := given(0.91)
	c.Note, c.Seeds, c.Spread = "seen", 2, 0.02
	if got := c.text(Column{Digits: 2}); got != "0.91 ± 0.02 (seen)" {
		t.Errorf("got %s", got)
	}
}

func TestOtherProgramsDoNotMakeARecipeDear(t *testing.T) {
	alone := []float64{0.5, 0.52, 0.51, 0.5, 0.53, 0.51, 0.52, 0.5, 0.51, 0.5}
	beside := []float64{0.5, 1.9, 2.4, 1.2, 0.5, 1.3, 2.2, 1.8, 1.7, 60}
	if a, b := quick(alone), quick(beside); a != 0.5 || b != 0.5 {
		t.Errorf("0.5 s a step are read as %g s alone, %g s beside another program", a, b)
	}
	if one := quick([]float64{3}); one != 3 {
		t.Errorf("one step of 3 s is read as %g s", one)
	}
}
