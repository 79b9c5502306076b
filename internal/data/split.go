package data

import (
	"fmt"

	"jem/backend/philox"
	"jem/internal/fault"
)

// Holdout splits the indices 0 … n−1 into n−valid for training and valid for validation, by
// a permutation that the key fixes (purpose Split): its first elements are validation, as in
// the official code. That code shuffles with NumPy's generator, seed 1234, which is not
// reproduced here: the split is of the same kind, but not the same.
func Holdout(n, valid int, key philox.Key) (train, held []int, err error) {
	if valid < 0 || valid >= n {
		return nil, nil, fmt.Errorf("can't hold out %d of %d images: want 0 to %d", valid, n, n-1)
	}
	p := make([]int, n)
	key.Perm(p)
	return p[valid:], p[:valid], nil
}

// PerClass keeps the first n indices of each class, in the order given (official
// labels_per_class, after the split's shuffle); all of them for n < 0. It fails if a class
// has fewer.
func PerClass(s *Set, indices []int, n int) ([]int, error) {
	if n < 0 {
		return indices, nil
	}
	seen := make([]int, s.K())
	var kept []int
	for _, i := range indices {
		if y := s.Labels[i]; seen[y] < n {
			seen[y]++
			kept = append(kept, i)
		}
	}
	for y, have := range seen {
		if have < n {
			return nil, fmt.Errorf("class %d (%s) has %s, %d labelled ones are asked for", y, fault.Short(s.Classes[y]), s.tally(y, have), n)
		}
	}
	return kept, nil
}
