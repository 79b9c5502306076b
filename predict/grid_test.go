package predict

import (
	"slices"
	"testing"
)

// Three chains of class 0 began as class 1, in whose slots, the first, they lie: of ten samples
// shown one is expected to be of them, 3 of 30, not all three. The same samples are shown each time.
func TestGridsShowSlotsAlike(t *testing.T) {
	const began, n, classes = 3, 30, 2
	class := slices.Repeat([]int{0}, n)
	class = append(class, 1, 1)
	rows := choose(class, classes)
	if len(rows[0]) != columns || len(rows[1]) != 2 {
		t.Fatalf("rows of %d and %d samples, want %d and 2", len(rows[0]), len(rows[1]), columns)
	}
	foreign := 0
	for _, i := range rows[0] {
		if i < began {
			foreign++
		}
	}
	if foreign == began {
		t.Errorf("slots %v are shown: all of the first", rows[0])
	}
	if !slices.Equal(rows[0], choose(class, classes)[0]) {
		t.Error("another choice the second time")
	}
	slices.Sort(rows[0])
	if len(slices.Compact(rows[0])) != columns {
		t.Error("a sample is shown twice")
	}
}

// Each sample of a class is shown as often as others, over many sets: expected is 10 of 100 in
// each of five groups of slots, here summed over set sizes.
func TestGridsFavourNoSlot(t *testing.T) {
	var group [5]int
	const sets = 200
	for extra := range sets {
		n := 500 + extra
		for _, i := range choose(make([]int, n), 1)[0] {
			group[5*i/n]++
		}
	}
	// A group's count is about binomial with n = 2,000, p = 1/5: 400 ± 18. Five deviations.
	for g, n := range group {
		if n < 400-90 || n > 400+90 {
			t.Errorf("group %d of the slots is shown %d times of %d, want about %d", g, n, sets*columns, sets*columns/5)
		}
	}
}

// A grid of thousands of classes would be no picture: it shows a hundred, the same each time.
func TestGridsShowAtMostAHundredClasses(t *testing.T) {
	if all := chooseClasses(100); len(all) != 100 || all[0] != 0 || all[99] != 99 {
		t.Errorf("got %v, want all of a hundred", all)
	}
	some := chooseClasses(3000)
	if len(slices.Compact(slices.Clone(some))) != rows || !slices.IsSorted(some) || some[rows-1] < 2000 || !slices.Equal(some, chooseClasses(3000)) {
		t.Errorf("got %v", some)
	}
	names := make([]string, 300)
	s := Samples{Images: make([]float32, 4*300), Class: make([]int, 300), Channels: 1, Size: 2}
	for i := range names {
		names[i], s.Class[i] = "class", i
	}
	img, err := s.Grid(names)
	if err != nil || img.Bounds().Dy() != 100*66-2 { // a hundred rows of 64 pixels, two between
		t.Errorf("got %v, %v", img.Bounds(), err)
	}
}
