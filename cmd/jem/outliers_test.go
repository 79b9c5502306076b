package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/eval/ood"
)

// What a network was shown as outliers is marked where it is told from what it knows, and belongs to no mean.
func TestOutliersAreMarkedAsSeen(t *testing.T) {
	dir, run := t.TempDir(), filepath.Join(t.TempDir(), "run")
	ownPictures(t, dir, "some", 6, 24)
	train := []string{"train", "--preset", "shapes-demo", "--threads", "1", "--conv-algo", "direct", "--quiet", "--set", "objective.bce=1", "--set", "dream.steps=1", "--set", "outliers.name=folder", "--set", "train.test_limit=20", "--set", "data.limit=150", "--set", "sampler.buffer=20"}
	ok(t, append(train, "--out", run, "--steps", "1", "--set", "outliers.dir="+dir)...)
	var r ood.Result
	args := []string{"eval", "--run", run, "--threads", "1", "--quiet", "--task", "ood", "--ood", "uniform,interp,folder:" + filepath.Join(dir, "some"), "--limit", "5", "--scores", "px"}
	okJSON(t, &r, append(args, "--json")...)
	for _, set := range r.Sets {
		if set.Seen != strings.HasPrefix(set.Set, "folder:") {
			t.Errorf("%+v", set)
		}
	}
	if out := ok(t, args...); r.Outliers != "folder" || !strings.Contains(out, "seen: such images were outliers in training (folder)") {
		t.Errorf("outliers %q: %s", r.Outliers, out)
	}
	if err := os.Remove(filepath.Join(dir, "some", "00.png")); err != nil {
		t.Fatal(err)
	}
	sentence(t, exitConfig, []string{"outliers.dir: the run began with other images (6 outliers, now there are 5"}, "train", "--resume", run, "--quiet")
	sentence(t, exitBusy, []string{dir}, append(train, "--out", filepath.Join(dir, "run"), "--set", "outliers.dir="+dir)...)
}
