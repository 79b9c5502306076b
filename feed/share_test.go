package feed_test

import (
	"slices"
	"testing"

	"jem/feed"
)

// Ranks' shares of a batch are together the batch, of each stream that there is.
func TestSharesAreTheBatch(t *testing.T) {
	all := feed.Noise(8, 12, 1, 8, 4)
	all.Outliers = nil
	if got := all.Share(0, 1); got.PX != all.PX {
		t.Error("one rank's share is not the whole")
	}
	for name, of := range map[string]func(feed.Sources) feed.Stream{
		"data": func(s feed.Sources) feed.Stream { return s.PX }, "labelled": func(s feed.Sources) feed.Stream { return s.Labeled },
	} {
		images, labels, err := of(all).Batch(3)
		if err != nil {
			t.Fatal(err)
		}
		var pixels []float32
		var classes []int32
		for rank := range 4 {
			s := all.Share(rank, 4)
			if s.Outliers != nil {
				t.Error("outliers out of nothing")
			}
			x, y, err := of(s).Batch(3)
			if err != nil {
				t.Fatal(err)
			}
			pixels, classes = append(pixels, x...), append(classes, y...)
		}
		if !slices.Equal(pixels, images) || !slices.Equal(classes, labels) {
			t.Errorf("%s: the shares are not the batch", name)
		}
	}
}
