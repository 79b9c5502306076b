package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"jem/eval"
	"jem/internal/data"
	"jem/internal/rundir"
)

// shapesRun is a short run on images that the program draws, made once for all that only read it.
func shapesRun(t *testing.T) string {
	t.Helper()
	out := filepath.Join(filepath.Dir(jem), "shapes-run")
	shapesOnce.Do(func() {
		ok(t, "train", "--preset", "shapes-demo", "--out", out, "--steps", "40", "--quiet", "--conv-algo", "direct")
	})
	return out
}

var shapesOnce sync.Once

// A first run needs no files, no home and no settings of the user's.
func TestAFirstRunNeedsNoData(t *testing.T) {
	run := shapesRun(t)
	var e eval.Result
	okJSON(t, &e, "eval", "--run", run, "--json", "--quiet")
	if e.Images != 300 || e.Accuracy < 0.5 {
		t.Errorf("got %+v; five figures that differ should be told apart at 50 %% or above after 40 steps", e)
	}
	picture := filepath.Join(t.TempDir(), "s.png")
	ok(t, "sample", "--run", run, "--fresh", "-n", "5", "--steps", "2", "--out", picture, "--quiet")
	ok(t, "score", "--model", run, "--input", picture, "--quiet")
	if _, err := os.Stat(filepath.Join(run, "report.html")); err != nil {
		t.Error(err)
	}
	var sets []set
	okJSON(t, &sets, "data", "list", "--json")
	for _, s := range sets {
		if s.Name == data.Shapes && len(s.Files) == 0 {
			return
		}
	}
	t.Errorf("data list: %+v", sets)
}

// One command begins a run, goes on with it and finds it done, as a scheduler repeats it.
func TestStartOrResume(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	args := func(more ...string) []string {
		return append([]string{"train", "--preset", "shapes-demo", "--out", out, "--resume-if-there", "--steps", "4", "--set", "train.save_every=2", "--set", "train.log_every=1", "--conv-algo", "direct", "--threads", "1"}, more...)
	}
	if r := doWith(t, []string{"JEM_FAILPOINT=metrics.write:5:exit"}, args()...); r.code == exitDone {
		t.Fatalf("the first start was to die: %s", r.stderr)
	}
	for i, want := range []string{`resuming {"run": "` + out + `", "step": 2`, "the run is finished"} {
		if r := do(t, args()...); r.code != exitDone || !strings.Contains(r.stderr, want) {
			t.Errorf("start %d: got %d %s", i+2, r.code, r.stderr)
		}
	}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"other settings", args("--lr", "0.5"), exitConfig, "optim.lr: the run has 0.01, now 0.5 is asked for"},
		{"nothing but the folder", []string{"train", "--out", out, "--resume-if-there"}, exitDone, "the run is finished"},
		{"without --out", []string{"train", "--resume-if-there"}, exitUsage, "name a folder"},
		{"with --resume", []string{"train", "--resume", out, "--resume-if-there"}, exitUsage, "--resume-if-there goes with --out"},
		{"a folder of other things", []string{"train", "--out", filepath.Dir(jem), "--resume-if-there", "--preset", "shapes-demo"}, exitBusy, ""},
	} {
		if r := do(t, tc.args...); r.code != tc.code || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("%s: got %d %s\nwant %d %s", tc.name, r.code, r.stderr, tc.code, tc.want)
		}
	}
	d, err := rundir.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if r := do(t, args()...); r.code != exitBusy {
		t.Errorf("held by another: got %d %s", r.code, r.stderr)
	}
}
