package train

import (
	"context"
	"testing"

	"jem/feed/feedtest"
)

// A grid costs about as many chains as it shows: no more are looked at than 100 or 30 a class, and none
// after every class has its row.
func TestGridsLookAtFewChains(t *testing.T) {
	cfg := feedtest.ToyConfig()
	cfg.Sampler.Buffer = 1000
	tr, err := New(open(t, 1), cfg, feedtest.ToySources(8))
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
