package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"jem/eval"
	"jem/internal/data"
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
