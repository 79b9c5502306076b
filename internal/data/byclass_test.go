package data

import (
	"slices"
	"strings"
	"testing"

	"jem/backend/philox"
)

// classesOf is a set of 1×1 images, class by class, so many of each.
func classesOf(counts ...int) *Set {
	s := &Set{Name: Folder, C: 1, H: 1, W: 1}
	for y, n := range counts {
		s.Classes = append(s.Classes, string(rune('a'+y%26)))
		for i := range n {
			s.Labels, s.Pixels = append(s.Labels, int32(y)), append(s.Pixels, byte(i))
		}
	}
	return s
}

// perClass counts images.
func perClass(s *Set, indices []int) []int {
	n := make([]int, s.K())
	for _, i := range indices {
		n[s.Labels[i]]++
	}
	return n
}

func TestHoldoutByClass(t *testing.T) {
	key := philox.New(1, 0, philox.Split)
	for name, c := range map[string]struct {
		counts, held []int
		valid        int
	}{
		"in proportion":          {[]int{60, 30, 10}, []int{6, 3, 1}, 10},
		"alike":                  {[]int{12, 12}, []int{3, 3}, 6},
		"small beside large":     {[]int{1000, 3, 2, 1}, []int{100, 0, 0, 0}, 100},
		"nothing":                {[]int{5, 5}, []int{0, 0}, 0},
		"two stay":               {[]int{9, 3, 3}, []int{7, 1, 1}, 9},
		"then one":               {[]int{9, 3, 3}, []int{8, 2, 2}, 12},
		"a class of one, no use": {[]int{1, 1}, []int{0, 0}, 0},
	} {
		s := classesOf(c.counts...)
		train, held, err := HoldoutByClass(s, c.valid, key)
		if err != nil {
			t.Fatal(err)
		}
		if got := perClass(s, held); !slices.Equal(got, c.held) {
			t.Errorf("%s: held out %v of %v, want %v", name, got, c.counts, c.held)
		}
		both := slices.Sorted(slices.Values(slices.Concat(train, held)))
		if !slices.Equal(both, all(s)) {
			t.Errorf("%s: some images are lost or twice there", name)
		}
		again, _, _ := HoldoutByClass(s, c.valid, key)
		if !slices.Equal(again, train) {
			t.Errorf("%s: another split by the same key", name)
		}
	}
	if _, _, err := HoldoutByClass(classesOf(2, 2), 3, key); err == nil || !strings.Contains(err.Error(), "0 to 2") {
		t.Errorf("three of four: %v", err)
	}
}

// A thousand classes of three: whatever the seed, each keeps the two that a Gaussian start needs.
func TestManySmallClassesKeepTwo(t *testing.T) {
	s := classesOf(slices.Repeat([]int{3}, 1000)...)
	for seed := range uint64(3) {
		train, held, err := HoldoutByClass(s, 300, philox.New(seed, 0, philox.Split))
		if err != nil {
			t.Fatal(err)
		}
		if low := slices.Min(perClass(s, train)); low < 2 {
			t.Errorf("seed %d: a class keeps %d", seed, low)
		}
		early := 0
		for _, i := range held {
			if s.Labels[i] < 500 {
				early++
			}
		}
		if early < 100 || early > 200 { // 150 ± 9, the std of a draw
			t.Errorf("seed %d: %d of 300 are of the first half of the classes", seed, early)
		}
	}
}

func TestLimitTakesFromAllClassesAlike(t *testing.T) {
	s := classesOf(100, 40, 10, 3)
	for n, want := range map[int][]int{
		2: {1, 1, 0, 0}, 4: {1, 1, 1, 1}, 8: {2, 2, 2, 2}, 77: {50, 20, 5, 2}, 153: {100, 40, 10, 3}, 0: {100, 40, 10, 3},
	} {
		few := s.Limit(n)
		if got := perClass(few, all(few)); !slices.Equal(got, want) {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
		if !slices.IsSorted(few.Labels) || few.check() != nil {
			t.Errorf("%d: another order, or %v", n, few.check())
		}
	}
	order := Evenly(s, all(s))
	for _, n := range []int{10, 50, 100} { // each beginning is near the shares
		for y, got := range perClass(s, order[:n]) {
			if share := float64(n) * float64([]int{100, 40, 10, 3}[y]) / 153; float64(got) < share-4 || float64(got) > share+2 {
				t.Errorf("of the first %d images %d are of class %d, in proportion %.1f", n, got, y, share)
			}
		}
	}
}

// A message about too few images says how many were held out.
func TestTooFewImagesSayWhatWasHeldOut(t *testing.T) {
	s := classesOf(3, 5)
	for says, indices := range map[string][]int{
		"has 1 image to train on, since 2 of its 3 are held out: a Gaussian start": {0, 3, 4, 5},
		"has 0 images to train on, since 3 of its 3 are held out":                  {3, 4, 5},
	} {
		if _, err := NewClassGaussian(s, indices, GaussianOptions{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if _, err := NewClassGaussian(classesOf(1, 5), nil, GaussianOptions{}); err == nil || !strings.Contains(err.Error(), "has 1 image: ") {
		t.Error(err)
	}
	if _, err := PerClass(s, []int{0, 3, 4, 5}, 2); err == nil || !strings.Contains(err.Error(), "since 2 of its 3 are held out, 2 labelled") {
		t.Error(err)
	}
}
