package feed

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jem/config"
	"jem/internal/data"
)

// batchOf is a copy of a step's images.
func batchOf(t *testing.T, s Stream, step int) []float32 {
	t.Helper()
	images, labels, err := s.Batch(step)
	if err != nil || slices.ContainsFunc(labels, func(y int32) bool { return y != 0 }) {
		t.Fatalf("labels %v, %v", labels, err)
	}
	return slices.Clone(images)
}

// withOutliers opens a run and returns the facts that it would keep.
func withOutliers(t *testing.T, s Source) (*Feed, Facts) {
	t.Helper()
	f, _, err := s.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f, *kept(t, f.Facts)
}

// Outliers are a function of seed and step, whichever steps come before; without a name there are none.
func TestOutliersAreAFunctionOfTheStep(t *testing.T) {
	c := own(t)
	c.Objective.BCE, c.Dream.Start = 1, "uniform"
	if f, facts := withOutliers(t, Source{Config: c}); f.Outliers != nil || facts.Outliers != nil {
		t.Errorf("none are configured: %v, %v", f.Outliers, facts.Outliers)
	}
	c.Outliers.Name = "mixed"
	if f, facts := withOutliers(t, Source{Config: c}); f.Outliers != nil || facts.Outliers != nil || !strings.Contains(strings.Join(f.notes, "\n"), "outliers.name=mixed is not used") {
		t.Errorf("none are drawn: %v, %v, %v", f.Outliers, facts.Outliers, f.notes)
	}
	for _, name := range []string{"shuffled", "blurred", "mixed", "distorted", "shapes"} {
		c.Outliers.Name, c.Dream.Start, c.Data.Crop, c.Data.Flip = name, config.StreamOutliers, 2, true
		a, facts := withOutliers(t, Source{Config: c})
		b, _ := withOutliers(t, Source{Config: c})
		first, second := batchOf(t, a.Outliers, 3), batchOf(t, a.Outliers, 4)
		if later := batchOf(t, b.Outliers, 4); !slices.Equal(second, later) || slices.Equal(first, second) || len(first) != 4*16*16 {
			t.Errorf("%s: not a function of the step", name)
		}
		c.Seed++
		if other, _ := withOutliers(t, Source{Config: c}); slices.Equal(second, batchOf(t, other.Outliers, 4)) {
			t.Errorf("%s: another seed gives the same", name)
		}
		if made := facts.Outliers.Digest == ""; made != (name != "shapes") || facts.Outliers.Name != name {
			t.Errorf("%s: %+v", name, facts.Outliers)
		}
	}
}

// Pictures become what the network takes, lie in sub-folders or not, and are compared when the run goes on.
func TestOutliersFromAFolder(t *testing.T) {
	c, other := own(t), own(t)
	c.Data.Size, c.Train.Batch = 8, 6 // theirs are 48 pixels a side, too
	c.Objective.BCE = 1
	c.Outliers = config.Outliers{Name: data.Folder, Dir: other.Data.Dir}
	if err := os.Rename(filepath.Join(other.Data.Dir, "dark", "00.png"), filepath.Join(other.Data.Dir, "loose.png")); err != nil {
		t.Fatal(err)
	}
	f, began := withOutliers(t, Source{Config: c})
	if n := len(batchOf(t, f.Outliers, 0)); n != 6*8*8 || began.Outliers.Images != 24 || began.Outliers.Absolute != other.Data.Dir {
		t.Errorf("%d values, %+v", n, began.Outliers)
	}
	if want := []string{c.Data.Dir, other.Data.Dir}; !reflect.DeepEqual(PictureFolders(c), want) {
		t.Errorf("folders %v, want %v", PictureFolders(c), want)
	}
	c.Outliers.Dir = "gone" // typed in another working folder
	withOutliers(t, Source{Config: c, Facts: began})

	if err := os.Remove(filepath.Join(other.Data.Dir, "loose.png")); err != nil {
		t.Fatal(err)
	}
	_, _, err := Source{Config: c, Facts: began}.Open(0)
	if err == nil || !strings.Contains(err.Error(), "outliers.dir: the run began with other images (24 outliers, now there are 23") {
		t.Errorf("one less: %v", err)
	}
	if f, _ := withOutliers(t, Source{Config: c, Facts: began, TakeOthers: true}); !strings.Contains(f.Changed, "now there are 23") {
		t.Errorf("allowed: %q", f.Changed)
	}
	c.Outliers.Dir = filepath.Join(t.TempDir(), "none")
	if _, _, err := (Source{Config: c}).Open(0); err == nil || !strings.Contains(err.Error(), "outliers: ") {
		t.Errorf("no such folder: %v", err)
	}
}

func TestSeenByNamePlaceOrContent(t *testing.T) {
	set := func(name, path string, pixel uint8) *data.Set {
		return &data.Set{Name: name, C: 1, H: 1, W: 1, Pixels: []uint8{pixel}, Labels: []int32{1}, Sources: []data.Source{{Path: path}}}
	}
	there := Outliers{Name: data.Folder, Absolute: "/pictures/dtd", Digest: set(data.Folder, "", 7).Unlabelled().Digest()}
	for _, tc := range []struct {
		outliers *Outliers
		name     string
		set      *data.Set
		want     bool
	}{
		{nil, "svhn", set("svhn", "/svhn/test", 1), false},
		{&Outliers{Name: "svhn", Digest: "x"}, "svhn", set("svhn", "/svhn/test", 1), true},
		{&Outliers{Name: "svhn", Digest: "x"}, "cifar100", set("cifar100", "/c/test.bin", 1), false},
		{&Outliers{Name: "mixed"}, "interp", nil, true},
		{&Outliers{Name: "distorted"}, "interp", nil, true},
		{&Outliers{Name: "blurred"}, "interp", nil, false},
		{&there, "interp", nil, false},
		{&there, "textures", set(data.Folder, "/pictures/dtd/images", 1), true},
		{&there, "folder:/pictures", set(data.Folder, "/pictures", 1), true},
		{&there, "folder:/pictures/dtd2", set(data.Folder, "/pictures/dtd2", 1), false},
		{&there, "folder:/copy", set(data.Folder, "/copy", 7), true},
	} {
		if got := (Facts{Outliers: tc.outliers}).Seen(tc.name, tc.set); got != tc.want {
			t.Errorf("outliers %+v, %s: seen %v, want %v", tc.outliers, tc.name, got, tc.want)
		}
	}
}
