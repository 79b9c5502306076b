package train

import (
	"context"
	"errors"
	"slices"
	"testing"

	"jem/comm"
	"jem/feed/feedtest"
)

// A grid costs about as many chains as it shows: no more are looked at than 100 or 30 a class, and none
// after every class has its row.
func TestGridsLookAtFewChains(t *testing.T) {
	cfg := feedtest.ToyConfig()
	cfg.Sampler.Buffer = 1000
	tr, err := New(open(t, 1), cfg, feedtest.ToySources(8), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := samples(context.Background(), tr) // of the start, by slot: 25 a class in the mean of the first 100
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Class); n != 100 || !s.Rows(feedtest.ToyClasses) {
		t.Errorf("%d chains looked at, all rows filled: %t", n, s.Rows(feedtest.ToyClasses))
	}
	tr.progress.Step = 1 // the untrained network sees one class everywhere, or nearly so
	if s, err = samples(context.Background(), tr); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Class); n > 120 {
		t.Errorf("%d chains looked at, want at most 120", n)
	}
}

// Drawing, which may take as long as many steps, ends when it is to.
func TestDrawingEndsWithItsContext(t *testing.T) {
	tr := newRecipe(t, toyRecipe(t, "at-small"), 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tr.step.Draw(ctx, make([]float32, feedtest.ToyPixels), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Without chains, too, the first pictures are of what samples start from; later ones have moved.
func TestFirstPicturesAreStarts(t *testing.T) {
	tr := newRecipe(t, toyRecipe(t, "at-small"), 1)
	starts := make([]float32, 100*feedtest.ToyPixels)
	classes := tr.step.Starts(starts, 0)
	for step, same := range map[int]bool{0: true, 1: false} {
		tr.progress.Step = step
		_, fill := shown(t.Context(), tr, feedtest.ToyPixels)
		images := make([]float32, len(starts))
		drawn, err := fill(images, 0)
		if err != nil || slices.Equal(images, starts) != same || drawn[5] != int(classes[5]) {
			t.Errorf("step %d: the starts themselves %t, want %t; classes %v and %v (%v)", step, !same, same, drawn[:6], classes[:6], err)
		}
	}
}
