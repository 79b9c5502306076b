package feed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/backend/philox"
	"jem/config"
	"jem/config/settings"
	"jem/internal/data"
)

// heldPerClass counts the images held out of each class.
func heldPerClass(t *testing.T, c config.Config) []int {
	t.Helper()
	set := ownSet(t, c)
	_, held, err := Source{Config: c}.holdout(set)
	if err != nil {
		t.Fatal(err)
	}
	n := make([]int, set.K())
	for _, i := range held {
		n[set.Labels[i]]++
	}
	return n
}

func ownSet(t *testing.T, c config.Config) *data.Set {
	t.Helper()
	set, _, err := data.Open(data.Folder, data.Train, data.OpenOptions{Dir: c.Data.Dir, Images: data.FolderOptions{Size: 16, Grey: true}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Runs from before by_class hold out what they held out.
func TestHoldoutOfOwnPicturesIsByClass(t *testing.T) {
	c := own(t)
	for i := range 9 { // 3 light ones are left beside 12 dark ones
		if err := os.Remove(filepath.Join(c.Data.Dir, "light", fmt.Sprintf("%02d.png", i))); err != nil {
			t.Fatal(err)
		}
	}
	old := c
	old.Data.ByClass = false
	for seed := range uint64(5) {
		c.Seed, old.Seed = seed, seed
		if got := heldPerClass(t, c); got[0] != 3 || got[1] != 1 {
			t.Errorf("seed %d: %v held out of 12 and 3, want 3 and 1", seed, got)
		}
		set := ownSet(t, c)
		_, held, err := Source{Config: old}.holdout(set)
		_, want, failed := data.Holdout(set.Len(), 4, philox.New(seed, 0, philox.Split))
		if err != nil || failed != nil || fmt.Sprint(held) != fmt.Sprint(want) {
			t.Errorf("seed %d: %v held out, before it were %v", seed, held, want)
		}
	}
	c.Data.ValidShare = 0.95
	_, _, err := Source{Config: c}.holdout(ownSet(t, c))
	var bad *settings.Error
	if !errors.As(err, &bad) || bad.Faults[0].Path != "data.valid_share" || !strings.Contains(err.Error(), "each of the 2 classes keeps one") {
		t.Error(err)
	}
}

// divided moves own's classes into the folder train, with the pictures from number 10 on in val.
func divided(t *testing.T, c config.Config) {
	t.Helper()
	for _, class := range []string{"dark", "light"} {
		for _, part := range []string{"train", "val"} {
			if err := os.MkdirAll(filepath.Join(c.Data.Dir, part), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		to := filepath.Join(c.Data.Dir, "train", class)
		if err := os.Rename(filepath.Join(c.Data.Dir, class), to); err != nil {
			t.Fatal(err)
		}
		valid := filepath.Join(c.Data.Dir, "val", class)
		if err := os.Mkdir(valid, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"10.png", "11.png"} {
			if err := os.Rename(filepath.Join(to, name), filepath.Join(valid, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// opened is what a run on such pictures has: images to train on and to validate with, and its notes.
func opened(t *testing.T, s Source) (f *Feed, train, valid int, notes string) {
	t.Helper()
	f, all, err := s.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	c, _, err := s.Choose("train")
	if err != nil {
		t.Fatal(err)
	}
	if f.Valid != nil {
		valid = f.Valid.Len()
	}
	return f, len(c.Indices), valid, strings.Join(all, "; ")
}

func TestAFolderOfValidationImagesIsUsed(t *testing.T) {
	c := own(t)
	divided(t, c)
	f, train, valid, notes := opened(t, Source{Config: c})
	if train != 20 || valid != 4 || !f.Facts.ValidFolder || !strings.Contains(notes, "4 validation images; none are held out of the training images (data.valid_share=0.25 is not used)") {
		t.Errorf("%d to train on, %d to validate with: %s", train, valid, notes)
	}
	v, _, err := Source{Config: c}.Choose("valid")
	if err != nil || fmt.Sprint(v.Indices) != "[0 2 1 3]" { // of both classes in turn
		t.Errorf("%v, %v", v.Indices, err)
	}
	if v, notes, err := (Source{Config: c}).Choose(""); err != nil || v.Split != "valid" || len(v.Indices) != 4 || !strings.Contains(strings.Join(notes, ""), "validation images") {
		t.Errorf("without test images: %+v, %q, %v", v, notes, err)
	}

	old := c
	old.Data.ByClass = false
	if _, train, valid, notes := opened(t, Source{Config: old}); train != 15 || valid != 5 || !strings.Contains(notes, "is not used") {
		t.Errorf("a run from before: %d to train on, %d to validate with: %s", train, valid, notes)
	}

	// A run goes on as it began, whatever becomes of the folder.
	began := f.Facts
	if err := os.Rename(filepath.Join(c.Data.Dir, "val"), filepath.Join(c.Data.Dir, "later")); err != nil {
		t.Fatal(err)
	}
	if _, train, valid, notes := opened(t, Source{Config: c, Facts: began}); train != 20 || valid != 0 || !strings.Contains(notes, "no validation set") || !strings.Contains(notes, "later is not used") {
		t.Errorf("the folder is gone: %d to train on, %d to validate with: %s", train, valid, notes)
	}
	// In another folder its own layout counts for measuring; to train on it with others held out is refused.
	other := own(t)
	divided(t, other)
	moved := Source{Config: other, Facts: began}
	if v, _, err := moved.Choose("valid"); err != nil || len(v.Indices) != 4 {
		t.Errorf("another folder with validation images: %v, %v", v.Indices, err)
	}
	if err := os.RemoveAll(filepath.Join(other.Data.Dir, "val")); err != nil {
		t.Fatal(err)
	}
	if v, _, err := moved.Choose("valid"); err != nil || len(v.Indices) != 5 {
		t.Errorf("another folder without: %v, %v", v.Indices, err)
	}
	if _, _, err := moved.Open(0); err == nil || !strings.Contains(err.Error(), "without its folder of validation images") {
		t.Error(err)
	}

	f, train, valid, _ = opened(t, Source{Config: c})
	if began = f.Facts; train != 15 || valid != 5 || began.ValidFolder {
		t.Errorf("without the folder: %d to train on, %d to validate with", train, valid)
	}
	if err := os.Rename(filepath.Join(c.Data.Dir, "later"), filepath.Join(c.Data.Dir, "Validation")); err != nil {
		t.Fatal(err)
	}
	if _, train, valid, notes := opened(t, Source{Config: c, Facts: began}); train != 15 || valid != 5 || !strings.Contains(notes, "not used, as when the run began") {
		t.Errorf("a folder that came later: %d to train on, %d to validate with: %s", train, valid, notes)
	}
}

// What a run is evaluated on begins with images of all classes, so that a limit (train.test_limit, --limit) is fair.
func TestEvaluationsBeginWithAllClasses(t *testing.T) {
	c := own(t)
	for _, part := range []string{"train", "test", "val"} {
		if err := os.CopyFS(filepath.Join(c.Data.Dir, part), os.DirFS(own(t).Data.Dir)); err != nil {
			t.Fatal(err)
		}
	}
	f, _, valid, _ := opened(t, Source{Config: c})
	if valid != 24 {
		t.Fatalf("%d to validate with", valid)
	}
	images, labels := make([]float32, EvalBatch*16*16), make([]int32, EvalBatch)
	for name, set := range map[string]Images{"test": f.Test, "valid": f.Valid} {
		n := Head(set, 6).Batch(0, images, labels)
		if ones := labels[0] + labels[1] + labels[2] + labels[3] + labels[4] + labels[5]; n != 6 || ones != 3 {
			t.Errorf("%s: labels %v", name, labels[:n])
		}
	}
}

// data.limit counts the images held out, data.labels_per_class those that are left; a class of which none is left
// is named, since chains at Gaussians of it can't begin and the network can't learn it.
func TestFewImagesOfAClass(t *testing.T) {
	c := own(t)                 // 12 of each of 2 classes, a quarter of them held out
	c.Sampler.Start = "uniform" // a Gaussian wants 2
	c.Train.Batch = 1           // so that any number is enough
	few := func(limit, labels int, share float32) (notes string, train int, err error) {
		c.Data.Limit, c.Data.LabelsPerClass, c.Data.ValidShare = limit, labels, share
		f, said, err := Source{Config: c}.Open(0)
		if err != nil {
			return "", 0, err
		}
		defer f.Close()
		return strings.Join(said, "\n"), f.Labeled.StepsPerEpoch(), nil
	}
	for _, tc := range []struct {
		limit, labels int
		share         float32
		train         int
		says          string
	}{
		{0, -1, 0.25, 18, ""},
		{0, 9, 0.25, 18, ""},
		{0, 10, 0.25, 0, `data.labels_per_class: class 0 (dark) has 9 images to train on, since 3 of its 12 are held out, 10 labelled ones are asked for`},
		{8, 3, 0.25, 6, ""},
		{8, 4, 0.25, 0, "has 3 images to train on, since 1 of its 4 are held out"},
		{8, 4, 0, 8, ""},
		{1, -1, 0, 1, `no image to train on is of 1 of the 2 classes, which the network can't learn: "light"`},
	} {
		notes, train, err := few(tc.limit, tc.labels, tc.share)
		if said := fmt.Sprint(notes, err); train != tc.train || !strings.Contains(said, tc.says) || tc.says == "" && strings.Contains(said, "class") {
			t.Errorf("%+v: %d to train on, %s", tc, train, said)
		}
	}
	wants := "has 1 image: a Gaussian start needs at least 2 images a class"
	c.Objective.BCE, c.Dream.Start, c.Dream.Gaussians = 1, "uniform", 0.5
	if _, _, err := few(1, -1, 0); err == nil || !strings.Contains(err.Error(), "dream.gaussians: ") || !strings.Contains(err.Error(), wants) {
		t.Error(err)
	}
	c.Sampler.Start = "gaussian"
	if _, _, err := few(1, -1, 0); err == nil || !strings.Contains(err.Error(), "sampler.start: ") || !strings.Contains(err.Error(), wants) {
		t.Error(err)
	}
}
