package commtest

import (
	"math"
	"testing"

	"jem/comm"
)

// TestOrderShows: the numbers are such that a sum in another order has other bits, or the suite would prove nothing.
func TestOrderShows(t *testing.T) {
	const n = 4001
	for size := 3; size <= 5; size++ {
		other := numbers(n, size-1, 0)
		for r := size - 2; r >= 0; r-- {
			for i := range other {
				other[i] += number(r, i, 0)
			}
		}
		differ := 0
		for i, v := range leftFold(n, size, 0) {
			if math.Float32bits(v) != math.Float32bits(other[i]) {
				differ++
			}
		}
		if differ < n/20 {
			t.Errorf("%d ranks: only %d of %d sums show their order", size, differ, n)
		}
	}
}

// wrong is an engine with a fault.
type wrong struct {
	comm.Local
	rank, size int
}

func (w wrong) Rank() int { return w.rank }
func (w wrong) Size() int { return w.size }

// TestSuiteNotices: one rank that says it is two answers no question rightly but those that one rank's numbers satisfy.
func TestSuiteNotices(t *testing.T) {
	for _, q := range Questions() {
		if q.Ask(wrong{size: 2}) == nil && q.Ask(wrong{rank: 1, size: 2}) == nil {
			t.Errorf("%s: an engine that does nothing passes", q.Name)
		}
	}
	if Absent(wrong{size: 2}, 0, 0) == nil {
		t.Error("an engine that never misses anybody passes")
	}
}

func TestLocal(t *testing.T) {
	for _, q := range Questions() {
		if err := All([]comm.Comm{comm.Local{}}, q.Ask); err != nil {
			t.Errorf("%s: %v", q.Name, err)
		}
	}
}
