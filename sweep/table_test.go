package sweep

import (
	"strings"
	"testing"

	"jem/train/journal"
)

// Figures are over the runs that are done and held images out.
func TestFiguresOverSeeds(t *testing.T) {
	run := func(name, state, split string, accuracy, nll float64) Standing {
		e := &journal.Evaluation{Step: 10, Accuracy: journal.Number(accuracy), NLL: journal.Number(nll)}
		return Standing{Standing: journal.Standing{Run: name, Step: 20, Split: split, Last: e, BestAccuracy: e, BestNLL: e}, ending: ending{State: state}}
	}
	c := Cased{Planned: Planned{Name: "a", Settings: map[string]any{"optim.lr": 0.5}}, Runs: []Standing{
		run("a-seed1", Done, "valid", 0.5, 1), run("a-seed2", Done, "valid", 0.75, 1.5), run("a-seed3", Done, "test", 1, 0),
		{Standing: journal.Standing{Run: "a-seed4"}, ending: ending{State: Diverged, Why: "loss\nNaN"}},
	}}
	for i := range c.Runs {
		c.Runs[i].forgetTests()
	}
	if c.Runs[2].Last != nil || c.Runs[0].Last == nil {
		t.Errorf("test figures are there: %+v", c.Runs)
	}
	c.sum()
	if f := c.Figures["nll"]; f.Mean != 1.25 || f.Seeds != 2 || f.Deviation == nil || len(c.Figures) != 9 {
		t.Errorf("got %+v", c.Figures)
	}
	if f := c.Figures["steps"]; f.Mean != 20 || f.Seeds != 3 {
		t.Errorf("steps %+v", f)
	}
	lines := Result{Note: note, Cases: []Cased{c}, paths: []string{"optim.lr"}}.Grid().Lines()
	if !strings.HasPrefix(lines[1], "a\t3 of 4\t62.50 ± 17.68\t1.250 ± 0.354\t-\t-\t") || !strings.HasSuffix(lines[1], "\t3 done, 1 diverged: loss; NaN") {
		t.Errorf("got %q", lines[1])
	}
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, "data.valid_share): a-seed3") {
		t.Errorf("got %q", last)
	}
}
