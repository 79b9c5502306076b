package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/eval"
)

// laidOut writes pictures of two classes in the folders named, so many a class.
func laidOut(t *testing.T, folders map[string]int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "pictures")
	for folder, n := range folders {
		for _, class := range []string{"dark", "light"} {
			ownPictures(t, filepath.Join(dir, folder), class, n, 16)
		}
	}
	return dir
}

// TestLayoutsOfFolders: the layouts of ImageNet and Keras, ultralytics and Kaggle are seen for
// what they are, and what is not used is named.
func TestLayoutsOfFolders(t *testing.T) {
	for name, c := range map[string]struct {
		folders map[string]int
		split   string // that is measured on at the end
		images  int
		notes   []string
	}{
		"ImageNet":    {map[string]int{"train": 12, "val": 5}, "valid", 10, []string{"val: 10 validation images", "data.valid_share", "no test set"}},
		"ultralytics": {map[string]int{"train": 12, "valid": 5, "test": 3, "extra": 1}, "test", 6, []string{"valid: 10 validation images", "extra is not used"}},
		"Kaggle":      {map[string]int{"Training": 12, "Testing": 3}, "test", 6, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := laidOut(t, c.folders)
			run := filepath.Join(t.TempDir(), "run")
			ok(t, ownFlags("--data-dir", dir, "--out", run, "--steps", "1", "--set", "data.size=16")...)
			metrics, err := os.ReadFile(filepath.Join(run, "metrics.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			for _, says := range c.notes {
				if !strings.Contains(string(metrics), says) {
					t.Errorf("no note says %q", says)
				}
			}
			var e eval.Result
			okJSON(t, &e, "eval", "--run", run, "--json")
			if e.Split != c.split || e.Images != c.images {
				t.Errorf("measured on %d %s images, want %d %s", e.Images, e.Split, c.images, c.split)
			}
			if c.folders["valid"]+c.folders["val"] > 0 {
				okJSON(t, &e, "eval", "--run", run, "--split", "train", "--json")
				if e.Images != 24 {
					t.Errorf("trained on %d of 24: some are held out", e.Images)
				}
			}
		})
	}
}

// TestStrayFoldersAreNoClasses: what systems leave behind is passed over, whatever the chains start
// from, and a class of pictures that can't be read is refused.
func TestStrayFoldersAreNoClasses(t *testing.T) {
	dir := laidOut(t, map[string]int{"": 12})
	for _, folder := range []string{"__MACOSX/dark", "lost+found", "empty", ".ipynb_checkpoints"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "dark/._00.png", []byte("of macOS"))
	put(t, dir, "dark/deeper/x.JPEG", square(20))
	if err := os.Chmod(filepath.Join(dir, "lost+found"), 0); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(t.TempDir(), "run")
	ok(t, ownFlags("--data-dir", dir, "--out", run, "--steps", "1", "--set", "data.size=16", "--set", "sampler.start=uniform")...)
	var e eval.Result
	okJSON(t, &e, "eval", "--run", run, "--split", "train", "--json")
	if e.Images != 22 { // 25, of which a tenth is held out
		t.Errorf("trained on %d images, want 22 of 25", e.Images)
	}
	put(t, dir, "scans/1.dcm", []byte("DICM"))
	sentence(t, exitData, []string{filepath.Join(dir, "scans"), "1 .dcm"}, ownFlags("--data-dir", dir, "--out", run+"2", "--set", "data.size=16")...)
}

// TestLimitsTakeFromAllClasses: a limit on pictures that lie class by class is no limit to the first class.
func TestLimitsTakeFromAllClasses(t *testing.T) {
	dir := laidOut(t, map[string]int{"train": 12, "test": 6})
	run := filepath.Join(t.TempDir(), "run")
	ok(t, ownFlags("--data-dir", dir, "--out", run, "--steps", "1", "--set", "data.size=16", "--set", "data.limit=10", "--set", "data.valid_share=0.2")...)
	for split, images := range map[string]int{"train": 8, "valid": 2, "test": 6} {
		var e eval.Result
		okJSON(t, &e, "eval", "--run", run, "--split", split, "--limit", "6", "--json")
		if e.Images != min(images, 6) {
			t.Errorf("%s: %d images", split, e.Images)
		}
		for _, c := range e.PerClass {
			if c.Images != e.Images/2 {
				t.Errorf("%s: %+v of %d images", split, c, e.Images)
			}
		}
	}
}
