package experiments

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"jem/config"
	"jem/internal/rundir"
	"jem/train"
)

// Ten steps of 2 s, ten of 3 s, then back to step 10 and ten of 4 s again: 90 s.
func TestHoursCountWhatARollbackGaveUp(t *testing.T) {
	dir := t.TempDir()
	var lines []byte
	for _, r := range []rundir.Record{
		{Step: 10, Kind: "train", Values: map[string]float64{"step_seconds": 2}},
		{Step: 10, Kind: "eval-valid", Values: map[string]float64{"accuracy": 0.5}},
		{Step: 20, Kind: "train", Values: map[string]float64{"step_seconds": 3}},
		{Step: 21, Kind: "rollback", Values: map[string]float64{"to": 10}},
		{Step: 20, Kind: "train", Values: map[string]float64{"step_seconds": 4}},
	} {
		line, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if err := os.WriteFile(rundir.Path(dir).Metrics(), lines, 0o644); err != nil {
		t.Fatal(err)
	}
	if h, err := hours(dir); err != nil || math.Abs(h*3600-90) > 1e-9 { // rounding of a sum of three
		t.Errorf("%v s, %v", h*3600, err)
	}
}

func TestOutcomeOfARunThatHasNotEnded(t *testing.T) {
	dir := t.TempDir()
	if _, ended, err := readOutcome(dir); ended || err != nil {
		t.Errorf("%v, %v", ended, err)
	}
	want := Outcome{Run: "jem", Steps: 7, Rollbacks: []train.Rollback{{At: 5, To: 3}, {At: 6, To: -1}}, Diverged: "gave up"}
	if err := want.write(dir); err != nil {
		t.Fatal(err)
	}
	got, ended, err := readOutcome(dir)
	if !ended || err != nil || got.Steps != 7 || got.firstDivergence() != 5 {
		t.Errorf("%+v, %v, %v", got, ended, err)
	}
	for key, figure := range map[string]float64{"diverged": 1, "first": 5, "count": 2, "ended": 0} {
		if v, err := got.stability(key, 100); err != nil || v != figure {
			t.Errorf("%s: %v, %v, want %v", key, v, err, figure)
		}
	}
	if v, err := (Outcome{}).stability("first", 100); err != nil || v != 101 {
		t.Errorf("first divergence of a stable run: %v, %v", v, err)
	}
	if err := os.WriteFile(filepath.Join(dir, outcomeFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readOutcome(dir); err == nil {
		t.Error("a broken outcome is taken for none")
	}
}

func TestRateScalesWithBatchAndSteps(t *testing.T) {
	c := config.Default()
	c.Train.Batch, c.Sampler.Steps = 64, 20
	r := rate{Fixed: 0.5, Gradient: 0.01, SGLD: 0.001}
	if got := r.seconds(c); math.Abs(got-2.42) > 1e-12 { // 0.5 + 64·(0.01 + 20·0.001)
		t.Errorf("%v s a step, want 2.42", got)
	}
	if n := totalSteps(c); n != 150*703 {
		t.Errorf("%d steps, want 150 epochs of 703", n)
	}
	batch, steps, _ := affordable(c)
	if batch >= 64 || batch < 2 || steps != 2 {
		t.Errorf("the full network is timed at batch %d, %d steps", batch, steps)
	}
}
