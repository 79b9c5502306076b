package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/sweep"
)

// sweepArgs are those of a sweep whose runs take a moment each.
func sweepArgs(out string, more ...string) []string {
	return append([]string{"sweep", "--preset", "shapes-demo", "--steps", "2", "--conv-algo", "direct", "--threads", "1", "--sgld-steps", "1", "--buffer-size", "20",
		"--set", "data.limit=60", "--set", "data.valid=10", "--set", "train.test_limit=10", "--out", out}, more...)
}

// A case that diverges is in the table and doesn't end the sweep; what has ended is not trained again.
func TestSweep(t *testing.T) {
	out := filepath.Join(t.TempDir(), "sweep")
	args := sweepArgs(out, "--grid", "optim.lr=1e-3,1e30", "--set", "guard.budget=0", "--seeds", "2")
	if plan := ok(t, append(args, "--dry-run")...); !strings.Contains(plan, "lr=0.001-seed2  lr=0.001  2     waiting  0.001") {
		t.Errorf("planned\n%s", plan)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("--dry-run made the folder")
	}
	var r struct {
		Cases []struct {
			Case    string
			Figures map[string]sweep.Spread
			Runs    []struct{ Run, State, Why string }
		}
	}
	first := do(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(first.stdout), &r); err != nil {
		t.Fatal(err, first.stderr)
	}
	if first.code != exitDiverged || len(r.Cases) != 2 || r.Cases[0].Figures["nll"].Seeds != 2 || r.Cases[0].Figures["nll"].Deviation == nil || len(r.Cases[1].Figures) != 0 {
		t.Fatalf("exit code %d, %+v\n%s", first.code, r, first.stderr)
	}
	if run := r.Cases[1].Runs[1]; run.State != sweep.Diverged || !strings.Contains(run.Why, "training diverged at step") || !strings.Contains(first.stderr, "2 of 4 runs did not come to their end") {
		t.Errorf("got %+v\n%s", run, first.stderr)
	}
	for _, name := range []string{"sweep.json", "sweep.csv", "sweep.md", "lr=0.001-seed2/report.html"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Error(err)
		}
	}
	again := do(t, args...)
	if again.code != exitDiverged || strings.Contains(again.stderr, `"number"`) || !strings.Contains(again.stdout, "2 diverged: training diverged at step") {
		t.Errorf("exit code %d\n%s\n%s", again.code, again.stdout, again.stderr)
	}
	// Another grid goes on with what it shares with this one, and says so; another base is another sweep.
	other := do(t, sweepArgs(out, "--grid", "optim.lr=1e-3,2e-3", "--set", "guard.budget=0")...)
	if other.code != exitDone || strings.Count(other.stderr, `"number"`) != 1 || !strings.Contains(other.stderr, "was another: new are lr=0.002; no longer asked for, kept but not in the table, are lr=1e+30") {
		t.Errorf("exit code %d\n%s", other.code, other.stderr)
	}
	sentences := do(t, sweepArgs(out, "--grid", "optim.lr=1e-3", "--set", "guard.budget=0", "--batch", "8")...)
	if sentences.code != exitConfig || !strings.Contains(sentences.stderr, "lr=0.001-seed1: train.batch: the run has 16, now 8 is asked for") || !strings.Contains(sentences.stderr, "name another folder") {
		t.Errorf("exit code %d\n%s", sentences.code, sentences.stderr)
	}
	longer := do(t, sweepArgs(out, "--grid", "optim.lr=1e-3", "--set", "guard.budget=0", "--set", "train.steps=3", "--allow-changes", "--format", "csv")...)
	if longer.code != exitDone || !strings.Contains(longer.stdout, "case,seeds_done,seeds,accuracy,") || strings.Count(longer.stderr, `"number"`) != 1 {
		t.Errorf("exit code %d\n%s%s", longer.code, longer.stdout, longer.stderr)
	}
}

func TestSweepMistakes(t *testing.T) {
	strange := t.TempDir()
	put(t, strange, "mine.txt", []byte("x"))
	for want, args := range map[string][]string{
		"--out is missing": {"--grid", "optim.lr=1"},
		"nothing to sweep": {"--out", "x"},
		"--seeds 0":        {"--out", "x", "--seeds", "0"},
	} {
		sentence(t, exitUsage, []string{want}, append([]string{"sweep"}, args...)...)
	}
	sentence(t, exitBusy, []string{"which jem sweep did not put there"}, sweepArgs(strange, "--seeds", "2")...)
	pictures := greyPictures(t)
	sentence(t, exitBusy, []string{pictures}, "sweep", "--preset", "folder", "--data-dir", pictures, "--seeds", "2", "--out", filepath.Join(pictures, "sweep"))
	if _, err := os.Stat(filepath.Join(pictures, "sweep")); err == nil {
		t.Error("a folder was made among pictures")
	}
	sentence(t, exitConfig, []string{"data.valid: 0: a sweep is judged by held-out images"}, sweepArgs("x", "--seeds", "2", "--set", "data.valid=0")...)
}
