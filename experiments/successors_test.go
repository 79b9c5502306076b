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

// What is claimed of a recipe is held against the control, and nothing is claimed from one seed.
func TestSuccessorsAreHeldAgainstTheControl(t *testing.T) {
	control := 0
	for _, c := range successorClaims(make([]Table, 4)) {
		if c.Verdict != notMeasured {
			t.Errorf("%s of empty tables: %s", c.sentence(), c.Verdict)
		}
		if strings.HasSuffix(c.sentence(), "is more robust to PGD than AT alone") {
			control++
		}
		for _, s := range successors() {
			if s.seeds < 2 && strings.HasPrefix(c.Text, s.label) {
				t.Errorf("%s is claimed from one seed", c.sentence())
			}
		}
	}
	if control < 2 {
		t.Errorf("%d recipes are held against the control", control)
	}
}

func TestSeenSetsSaySo(t *testing.T) {
	c := given(0.91)
	c.Note, c.Seeds, c.Spread = "seen", 2, 0.02
	if got := c.text(Column{Digits: 2}); got != "0.91 ± 0.02 (seen)" {
		t.Errorf("got %s", got)
	}
}
