package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Files are replaced by renaming: where something else is, even behind a link, it stays, and that is said
// before the work.
func TestOutputsReplaceFilesOnly(t *testing.T) {
	dir := t.TempDir()
	link, none := filepath.Join(dir, "link"), filepath.Join(dir, "no-run")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Skip(err)
	}
	for _, args := range [][]string{
		{"score", none, "x.png", "--out", link}, {"eval", none, "--out", link}, {"sample", none, "--out", link},
		{"sample", none, "--gif", link}, {"compare", "--run", none, "--out", link}, {"eval", none, "--out", dir},
	} {
		r := do(t, args...)
		if r.code != exitUsage || !strings.Contains(r.stderr, "where a regular file is expected") || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, %s", args, r.code, r.stderr)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link is gone: %v", err)
	}
}

// Images that there is no memory to keep are refused before the work.
func TestMoreImagesThanMemoryAreRefused(t *testing.T) {
	run, out := shapesRun(t), filepath.Join(t.TempDir(), "x.png")
	for _, args := range [][]string{
		{"sample", run, "--count", "1000000000000", "--out", out, "--quiet"},
		{"eval", run, "--task", "distal", "--limit", "1000000000000", "--quiet"},
	} {
		sentence(t, exitConfig, []string{"1000000000000 images of 16×16 pixels need ", "ask for fewer"}, args...)
	}
}

func TestAModelThatIsNotThere(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	sentence(t, exitData, []string{none + ": no such file of weights or run"}, "score", none, "x.png")
}
