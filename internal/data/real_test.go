package data

import (
	"errors"
	"math"
	"os"
	"slices"
	"testing"

	"jem/internal/fault"
)

// openReal opens a published set, or skips the test where its files aren't at hand.
func openReal(t *testing.T, name string, split Split) *Set {
	t.Helper()
	dir := os.Getenv(DirEnv)
	if dir == "" {
		t.Skipf("%s is not set: reading the published files of %s is skipped", DirEnv, name)
	}
	s, notes, err := Open(name, split, OpenOptions{Dir: dir})
	if errors.Is(err, fault.ErrMissing) {
		t.Skipf("reading the published files is skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.Verified() != (len(notes) == 0) {
		t.Errorf("verified %v with notes %q", s.Verified(), notes)
	}
	return s
}

func TestPublishedFilesAreReadAsPublished(t *testing.T) {
	for _, c := range []struct {
		name      string
		split     Split
		n, dim, k int
	}{
		{"cifar10", Train, 50000, 3072, 10},
		{"cifar10", Test, 10000, 3072, 10},
		{"cifar100", Test, 10000, 3072, 100},
		{"mnist", Train, 60000, 1024, 10},
		{"mnist", Test, 10000, 1024, 10},
		{"fashion-mnist", Train, 60000, 1024, 10},
		{"fashion-mnist", Test, 10000, 1024, 10},
		{"svhn", Train, 73257, 3072, 10},
	} {
		t.Run(c.name+" "+string(c.split), func(t *testing.T) {
			s := openReal(t, c.name, c.split)
			if !s.Verified() {
				t.Skipf("%s isn't the published file: its size isn't checked", s.Sources[0].Path)
			}
			if s.Len() != c.n || s.Dim() != c.dim || s.K() != c.k {
				t.Errorf("%d images of %d values in %d classes, want %d of %d in %d", s.Len(), s.Dim(), s.K(), c.n, c.dim, c.k)
			}
		})
	}
}

func TestCIFAR10HasItsPublishedMean(t *testing.T) {
	s := openReal(t, "cifar10", Train)
	var sum [3]float64
	for i := range s.Len() {
		for j, v := range s.Image(i) {
			sum[j/1024] += float64(v)
		}
	}
	// RGB means over the training set as widely published, to the eight places they are given with.
	for c, want := range []float64{.49139968, .48215841, .44653091} {
		if got := sum[c] / 255 / 1024 / float64(s.Len()); math.Abs(got-want) > 0.5e-8 {
			t.Errorf("channel %d has mean %.9f, want %.8f", c, got, want)
		}
	}
}

func TestSVHNTestBeginsWithItsPublishedDigits(t *testing.T) {
	s := openReal(t, "svhn", Test)
	if s.Len() < 10000 {
		t.Skipf("%d images: the counts are of the first 10,000", s.Len())
	}
	counts := make([]int, 10)
	for _, y := range s.Labels[:10000] {
		counts[y]++
	}
	if want := []int{684, 1968, 1590, 1104, 964, 909, 773, 767, 621, 620}; !slices.Equal(counts, want) {
		t.Errorf("digits 0 to 9 occur %v times, want %v", counts, want)
	}
}
