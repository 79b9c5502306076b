package journal

import (
	"fmt"
	"slices"
	"testing"

	"jem/internal/rundir"
)

func TestCurrentLeavesOutWhatWasGivenUp(t *testing.T) {
	at := func(step int, kind string) rundir.Record { return rundir.Record{Step: step, Kind: kind} }
	back := func(step int, to float64) rundir.Record {
		return rundir.Record{Step: step, Kind: KindRollback, Values: map[string]float64{"to": to}}
	}
	for name, tc := range map[string]struct {
		h    History
		want string
	}{
		"nothing":                               {nil, "[]"},
		"nothing given up":                      {History{at(1, KindTrain), at(1, "eval-test"), at(1, "note"), at(2, KindTrain)}, "[1 1 1 2]"},
		"one rollback":                          {History{at(7, KindTrain), at(8, KindTrain), at(8, "eval-test"), back(9, 7), at(8, KindTrain)}, "[7 9 8]"},
		"two, the second deeper":                {History{at(3, KindTrain), at(7, KindTrain), back(9, 6), at(7, KindTrain), back(8, 3), at(4, KindTrain)}, "[3 9 8 4]"},
		"to the beginning":                      {History{at(1, KindTrain), at(1, "eval-test"), back(2, 0), at(1, KindTrain)}, "[2 1]"},
		"a rollback whose record is lost":       {History{at(7, KindTrain), at(8, KindTrain), at(8, "eval-test"), at(9, KindTrain), at(8, KindTrain)}, "[7 8]"},
		"a rollback that doesn't say to where":  {History{at(7, KindTrain), {Step: 9, Kind: KindRollback}, at(8, KindTrain)}, "[7 9 8]"},
		"a rollback that says something absurd": {History{at(7, KindTrain), back(9, -1e300), at(8, KindTrain)}, "[7 9 8]"},
	} {
		steps := []int{}
		for _, r := range tc.h.Current() {
			steps = append(steps, r.Step)
		}
		if got := fmt.Sprint(steps); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}

func TestKindsAndMetricsAreListed(t *testing.T) {
	h := History{{Kind: "note", Text: "x"}, {Kind: "b", Values: map[string]float64{"y": 1, "x": 2}}, {Kind: "a", Values: map[string]float64{"z": 1}}, {Kind: "b", Values: map[string]float64{"x": 2}}}
	if k, m := h.Kinds(), h.Metrics("b"); !slices.Equal(k, []string{"a", "b"}) || !slices.Equal(m, []string{"x", "y"}) {
		t.Errorf("%v, %v", k, m)
	}
}

// A page shows what a recipe has, and no zeros of what it lacks.
func TestChartsAreOfTheRecipe(t *testing.T) {
	titles := func(values map[string]float64) (all []string) {
		h := History{{Step: 1, Kind: KindTrain, Values: values}}
		for _, c := range h.charts() {
			all = append(all, c.Title)
		}
		for _, f := range h.summary() {
			all = append(all, f.Name)
		}
		return all
	}
	attacked := titles(map[string]float64{"accuracy": 0.5, "attacked": 2, "gap": 0, "log_px_data": 0, "log_px_samples": 0, "p_y_given_x": 0})
	dreams := titles(map[string]float64{"accuracy": 0.5, "attacked": 2, "gap": 0.1, "log_px_data": 1, "log_px_samples": 0.9, "bce": 1.3, "auc": 0.6, "moves": 3})
	for title, both := range map[string][2]bool{
		"Cross-entropy": {true, true}, "Log-density": {false, true}, "f(x⁺) − f(x⁻)": {false, true}, "log p(x⁺) − log p(x⁻)": {false, true},
		"Data against dreams": {false, true}, "Moves": {false, true},
	} {
		if slices.Contains(attacked, title) != both[0] || slices.Contains(dreams, title) != both[1] {
			t.Errorf("%s: want it there %v, have %v and %v", title, both, attacked, dreams)
		}
	}
}
