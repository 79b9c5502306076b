package data

import (
	"fmt"
	"slices"

	"jem/backend/philox"
)

// Evenly puts images, given by their indices, into an order whose every beginning takes from
// all classes alike: first one image of each class, then a second one, which a Gaussian start
// needs, then so that each class is used up at the same pace. Within a class the order stays;
// between classes that tie it is that given.
func Evenly(s *Set, indices []int) []int {
	total, seen := make([]int, s.K()), make([]int, s.K())
	for _, i := range indices {
		total[s.Labels[i]]++
	}
	type ranked struct {
		index, round int
		share        float64 // of its class that comes before the image's middle
	}
	order := make([]ranked, len(indices))
	for at, i := range indices {
		y := s.Labels[i]
		order[at] = ranked{index: i, round: min(seen[y], 2)}
		if seen[y] >= 2 {
			order[at].share = (float64(seen[y]) + 0.5) / float64(total[y])
		}
		seen[y]++
	}
	slices.SortStableFunc(order, func(a, b ranked) int {
		switch {
		case a.round != b.round:
			return a.round - b.round
		case a.share < b.share:
			return -1
		case a.share > b.share:
			return 1
		}
		return 0
	})
	even := make([]int, len(order))
	for at, r := range order {
		even[at] = r.index
	}
	return even
}

// HoldoutByClass is Holdout with valid images taken from all classes alike. Classes of two
// images or less keep them as long as larger ones have some to give, and none loses its last.
func HoldoutByClass(s *Set, valid int, key philox.Key) (train, held []int, err error) {
	n := s.Len()
	if most := n - s.K(); valid < 0 || valid > most && valid > 0 {
		return nil, nil, fmt.Errorf("can't hold out %d of %d images: each of the %d classes keeps one, so 0 to %d", valid, n, s.K(), max(most, 0))
	}
	p := make([]int, n)
	key.Perm(p)
	p = Evenly(s, p)
	return p[:n-valid], p[n-valid:], nil
}

// Limit keeps n images, taken from all classes alike, in the order they were in; all of them
// for n ≤ 0 or n ≥ N.
func (s *Set) Limit(n int) *Set {
	if n <= 0 || n >= s.Len() {
		return s
	}
	chosen := Evenly(s, all(s))[:n]
	slices.Sort(chosen)
	few := *s
	few.Labels, few.Pixels = nil, make([]uint8, 0, n*s.Dim())
	for _, i := range chosen {
		few.Labels, few.Pixels = append(few.Labels, s.Labels[i]), append(few.Pixels, s.Image(i)...)
	}
	return &few
}

// Without are the names of the classes of which none of the images that indices name are.
func Without(s *Set, indices []int) (names []string) {
	seen := make([]bool, s.K())
	for _, i := range indices {
		seen[s.Labels[i]] = true
	}
	for y, there := range seen {
		if !there {
			names = append(names, s.Classes[y])
		}
	}
	return names
}

// tally says how many images a class has among those chosen, and what became of the others.
func (s *Set) tally(y, chosen int) string {
	total := 0
	for _, label := range s.Labels {
		if int(label) == y {
			total++
		}
	}
	if total == chosen {
		return imageCount(chosen)
	}
	return fmt.Sprintf("%s to train on, since %d of its %d are held out", imageCount(chosen), total-chosen, total)
}
