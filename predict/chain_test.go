package predict_test

import (
	"context"
	"slices"
	"testing"

	"jem/predict"
	"jem/predict/predicttest"
)

// TestWalksAreSamples: chains moved in pieces, with batches in between, end where Draw's do; those that are given
// images begin with them.
func TestWalksAreSamples(t *testing.T) {
	p := predicttest.Official(t)
	for _, fresh := range []bool{true, false} {
		o := predict.SampleOptions{N: 3, Steps: 7, Fresh: fresh, Class: predict.EachClass, Seed: 5}
		var want []float32
		err := p.Draw(context.Background(), o, func(images, _ []float32) error {
			want = slices.Clone(images)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w, err := predict.NewWalk(p, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		first := slices.Clone(w.Images())
		a := predict.NewAnswerer(p)
		for _, steps := range []int{1, 4, 2} {
			if _, err := a.Answer(5, predict.Asked{Gradient: true}); err != nil {
				t.Fatal(err)
			}
			if err := w.Step(steps); err != nil {
				t.Fatal(err)
			}
		}
		if w.Taken() != 7 || !slices.Equal(w.Images(), want) {
			t.Errorf("fresh %v: after %d steps other images than Draw's", fresh, w.Taken())
		}
		again, err := predict.NewWalk(p, o, first)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Step(7); err != nil || !slices.Equal(again.Images(), want) {
			t.Errorf("fresh %v: other images from the same start, %v", fresh, err)
		}
		w.Close()
		again.Close()
		a.Close()
	}
}
