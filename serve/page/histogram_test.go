package page

import (
	"testing"

	"jem/serve/verdict"
)

// TestTailsDontTakeTheRoom: one image far out leaves the others the width that they would have without it, and is told by
// what is missing from the sum.
func TestTailsDontTakeTheRoom(t *testing.T) {
	ladder := func(first float32) (all []float32) {
		all = append(all, first)
		for i := 1; i < 1000; i++ {
			all = append(all, float32(i)/100)
		}
		return all
	}
	set := func(values []float32) verdict.Reference {
		return verdict.Reference{Own: verdict.Set{Name: "own", LogPx: values}}
	}
	plain, far := histogramOf(set(ladder(0))), histogramOf(set(ladder(-1e6)))
	if far.Low != plain.Low || far.Width != plain.Width || len(far.Sets[0].Shares) != 48 {
		t.Errorf("from %g in bins of %g, want from %g in %g", far.Low, far.Width, plain.Low, plain.Width)
	}
	sum := 0.0
	for _, v := range far.Sets[0].Shares {
		sum += v
	}
	if sum > 1 || sum < 1-2*tail-1.0/1000 {
		t.Errorf("%g of the images are shown", sum)
	}
	if h := histogramOf(set([]float32{3, 3, 3})); len(h.Sets) != 1 || h.Width <= 0 {
		t.Errorf("of images that are all alike: %+v", h)
	}
	if histogramOf(verdict.Reference{Unknown: []verdict.Set{{Name: "x", LogPx: []float32{1}}}}) != nil {
		t.Error("a histogram without the model's own images")
	}
}
