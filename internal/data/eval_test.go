package data

import (
	"slices"
	"testing"

	"jem/backend/philox"
)

// walk collects all images and labels of an evaluation.
func walk(t *testing.T, s *Set, indices []int, batch int, noise float32) (x []float32, y []int32, sizes []int) {
	t.Helper()
	e, err := NewEval(s, indices, batch, noise, philox.New(1, 0, philox.EvalNoise))
	if err != nil {
		t.Fatal(err)
	}
	for b := range e.All() {
		if b.Step != len(sizes) || len(b.Pixels) != len(b.Labels)*s.Dim() {
			t.Errorf("batch %d has number %d, %d values, %d labels", len(sizes), b.Step, len(b.Pixels), len(b.Labels))
		}
		x, y, sizes = append(x, b.Pixels...), append(y, b.Labels...), append(sizes, len(b.Labels))
	}
	if len(sizes) != e.Batches() || len(y) != e.Len() {
		t.Errorf("%d batches of %d images in all, want %d of %d", len(sizes), len(y), e.Batches(), e.Len())
	}
	return x, y, sizes
}

func TestEvaluationSeesEveryImageInOrder(t *testing.T) {
	s := synthetic(10, 3, 8, 5)
	x, y, sizes := walk(t, s, nil, 4, 0)
	if !slices.Equal(y, s.Labels) || !slices.Equal(sizes, []int{4, 4, 2}) {
		t.Errorf("labels %v in batches of %v", y, sizes)
	}
	want := make([]float32, s.Dim())
	for i := range s.Len() {
		s.Scaled(want, i)
		if !slices.Equal(x[i*s.Dim():(i+1)*s.Dim()], want) {
			t.Errorf("image %d isn't the scaled one", i)
		}
	}
}

func TestEvaluationNoiseBelongsToTheImage(t *testing.T) {
	s := synthetic(10, 1, 8, 5)
	d := s.Dim()
	all, _, _ := walk(t, s, nil, 4, 0.03)
	other, _, _ := walk(t, s, nil, 7, 0.03)
	if !slices.Equal(all, other) {
		t.Error("noise depends on the batch size")
	}
	one, _, _ := walk(t, s, []int{8}, 16, 0.03)
	if !slices.Equal(one, all[8*d:9*d]) {
		t.Error("noise depends on the selection")
	}
	clean, _, _ := walk(t, s, nil, 4, 0)
	if slices.Equal(clean, all) {
		t.Error("there is no noise")
	}
}

func TestHoldoutPartitionsTheIndices(t *testing.T) {
	key := philox.New(1, 0, philox.Split)
	train, held, err := Holdout(100, 30, key)
	if err != nil {
		t.Fatal(err)
	}
	both := slices.Sorted(slices.Values(append(slices.Clone(train), held...)))
	if len(train) != 70 || len(held) != 30 || len(slices.Compact(both)) != 100 || slices.IsSorted(held) {
		t.Errorf("%d and %d indices, held %v: want a shuffled partition of 100", len(train), len(held), held)
	}
	again, _, _ := Holdout(100, 30, key)
	other, _, _ := Holdout(100, 30, philox.New(2, 0, philox.Split))
	if !slices.Equal(again, train) || slices.Equal(other, train) {
		t.Error("the split isn't fixed by its key")
	}
	for _, valid := range []int{-1, 100} {
		if _, _, err := Holdout(100, valid, key); err == nil {
			t.Errorf("%d of 100 are held out", valid)
		}
	}
}

func TestPerClassKeepsTheFirstOfEach(t *testing.T) {
	s := synthetic(12, 1, 8, 3) // labels 0 1 2 0 1 2 …
	got, err := PerClass(s, []int{11, 8, 3, 5, 0, 1, 4, 7}, 2)
	if want := []int{11, 8, 3, 0, 1, 4}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if got, err := PerClass(s, []int{2, 1}, -1); err != nil || !slices.Equal(got, []int{2, 1}) {
		t.Errorf("%v, %v; want all", got, err)
	}
	if _, err := PerClass(s, nil, 1); err == nil {
		t.Error("a class without images is accepted")
	}
}

func TestHeadIsAView(t *testing.T) {
	s := synthetic(10, 1, 8, 5)
	if h := s.Head(3); h.Len() != 3 || len(h.Pixels) != 3*64 || &h.Pixels[0] != &s.Pixels[0] || h.check() != nil {
		t.Errorf("%d images, %d values", h.Len(), len(h.Pixels))
	}
	if s.Head(0) != s || s.Head(11) != s {
		t.Error("a limit of 0 or beyond the end cuts the set")
	}
}
