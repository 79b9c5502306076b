package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/internal/rundir"
)

// spoil damages all in a run's folder that people only look at.
func spoil(t *testing.T, run string) {
	t.Helper()
	p := rundir.Path(run)
	metrics, err := os.OpenFile(p.Metrics(), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = metrics.WriteString("garbage\n" + strings.Repeat("\x00", 4000) + "\n\n{\"loss\":1e999}\n{\"step\":3,\"ki")
		err = errors.Join(err, metrics.Close())
	}
	events, _ := filepath.Glob(filepath.Join(run, "events.*"))
	for _, f := range events {
		err = errors.Join(err, os.Truncate(f, 30))
	}
	err = errors.Join(err, os.Truncate(p.Sample(0), 100), os.Truncate(p.Env(), 20), os.Remove(p.Report()), os.Remove(p.Sample(3)))
	if err != nil {
		t.Fatal(err)
	}
	put(t, p.Report(), "x", nil)  // a folder in its place
	put(t, p.Sample(3), "x", nil) // another
	put(t, p.Samples(), "step-final.png", []byte("mine"))
	put(t, p.Samples(), "step-9.png", []byte("mine, too"))
}

// What is only looked at never ends a run: it is passed over with a warning, at every start.
func TestWhatIsOnlyLookedAtNeverEndsARun(t *testing.T) {
	run := finished(t, writeCIFAR(t))
	p := rundir.Path(run)
	whole := ok(t, "compare", "--run", run, "--json")
	spoil(t, run)
	if err := os.RemoveAll(filepath.Join(p.Checkpoints(), "step-00000003")); err != nil {
		t.Fatal(err)
	}
	r := do(t, "train", "--resume", run)
	if r.code != exitDone {
		t.Fatalf("exit code %d\n%s", r.code, r.stderr)
	}
	for _, want := range []string{
		"metrics.jsonl: its last 13 bytes are no whole line and were cut off",
		"metrics.jsonl: 3 lines are no records and are passed over, the first is line ",
		"env.json: is no list of a run's starts: it is now called env.json.damaged",
		"no comparison with the initial draws: " + p.Sample(0) + ": is a PNG picture that was cut",
		"step-00000003.png: directory not empty", "report.html: file exists",
	} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("no %q in\n%s", want, r.stderr)
		}
	}
	if again := do(t, "train", "--resume", run); again.code != exitDone {
		t.Errorf("the second time: exit code %d\n%s", again.code, again.stderr)
	}
	for name, want := range map[string]string{"step-final.png": "mine", "step-9.png": "mine, too"} {
		if b, _ := os.ReadFile(filepath.Join(p.Samples(), name)); string(b) != want {
			t.Errorf("%s is now %q", name, b)
		}
	}
	// Numbers that don't depend on the time are again those of the run that nobody disturbed.
	if got := ok(t, "compare", "--run", run, "--json"); got != whole {
		t.Errorf("compare gives\n%s\nwant\n%s", got, whole)
	}
}

// Abandoned steps are left out wherever a run's records are shown.
func TestCompareLeavesOutWhatWasGivenUp(t *testing.T) {
	a := writeRun(t, `{"step":7,"kind":"train","loss":7}`, `{"step":8,"kind":"train","loss":80}`, `{"step":9,"kind":"train","loss":90}`, `{"step":8,"kind":"eval-valid","loss":80}`,
		`{"step":10,"kind":"rollback","to":7,"text":"diverged","loss":1000}`, `{"step":8,"kind":"train","loss":8}`, "garbage", `{"step":8,"kind":"eval-valid","loss":4,"accuracy":0.5}`, `{"step":9,"kind":"train","loss":"NaN"}`)
	r := do(t, "compare", "--run", a, "--json")
	if want := `"steps": [
      7,
      8,
      9
    ],
    "values": [
      7,
      8,
      "NaN"
    ]`; r.code != 0 || !strings.Contains(r.stdout, want) || !strings.Contains(r.stderr, "line 7 is no record") {
		t.Errorf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	if out := ok(t, "compare", "--run", a, "--kind", "eval", "--metric", "accuracy"); !strings.Contains(out, "\n8      0.5\n") {
		t.Errorf("got %s", out)
	}
}

func TestCompareSaysWhatThereIs(t *testing.T) {
	a := writeRun(t, `{"step":2,"kind":"train","loss":1,"p_x":2}`, `{"step":2,"kind":"eval-test","accuracy":1}`, "{\"step\":2,\"kind\":\"\x1b[31m\",\"accuracy\":1}", `{"step":2,"kind":"\u001b[31m","accuracy":1}`)
	none := filepath.Join(t.TempDir(), "none")
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no run", nil, exitUsage, "jem: --run is missing"},
		{"a run that isn't there", []string{"--run", none}, exitData, "jem: " + none + ": no such run folder"},
		{"a folder that is no run", []string{"--run", t.TempDir()}, exitData, "has no records: its metrics.jsonl is missing or empty"},
		{"a misspelt metric", []string{"--run", a, "--metric", "los"}, exitData, `no metric "los": did you mean loss?; records of kind train have loss, p_x`},
		{"a misspelt kind", []string{"--run", a, "--kind", "eval-tets"}, exitData, `no records of kind "eval-tets": did you mean eval-test?; it has "\x1b[31m", eval-test, train`},
		{"a metric of another kind", []string{"--run", a, "--kind", "eval", "--metric", "loss"}, exitData, `no metric "loss"; records of kind eval-test have accuracy`},
	} {
		r := do(t, append([]string{"compare"}, tc.args...)...)
		if r.code != tc.code || !strings.Contains(r.stderr, tc.want) || strings.Count(r.stderr[strings.LastIndex(r.stderr, "jem: "):], "\n") != 1 || r.stdout != "" {
			t.Errorf("%s: exit code %d\n%s%s", tc.name, r.code, r.stdout, r.stderr)
		}
	}
}

// A run that was killed has a report, and may get another at any time.
func TestReportOfARunThatWasKilled(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a[b") // a pattern to others
	args := small(writeCIFAR(t), out, "--quiet", "--set", "train.save_every=1")
	if r := doWith(t, []string{"JEM_FAILPOINT=ckpt.rename.after:2:exit"}, args...); r.code == 0 {
		t.Fatal("the run ended")
	}
	path := rundir.Path(out).Report()
	page, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(page), "Initial draws") {
		t.Errorf("after the kill: %d bytes, %v", len(page), err)
	}
	if got := ok(t, "report", out); got != path+"\n" {
		t.Errorf("it says %q", got)
	}
	if page, err = os.ReadFile(path); err != nil || !strings.Contains(string(page), "log p(x⁺) − log p(x⁻)") || !strings.Contains(string(page), "<svg") {
		t.Errorf("written anew: %d bytes, %v", len(page), err)
	}
	if r := do(t, "report", t.TempDir()); r.code != exitData || !strings.Contains(r.stderr, "is no run folder") {
		t.Errorf("of no run: exit code %d\n%s", r.code, r.stderr)
	}
}
