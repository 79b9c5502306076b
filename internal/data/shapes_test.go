package data

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// The set is part of what runs and their digests refer to: the same everywhere and for good.
func TestShapesAreTheSameEverywhere(t *testing.T) {
	for split, want := range map[Split]struct {
		n    int
		hash string
	}{
		Train: {1000, "2bb3eaa5a43c2ff5"},
		Test:  {300, "add6ffab9cb15a7a"},
	} {
		s, notes, err := Open(Shapes, split, OpenOptions{Dir: "/none"})
		if err != nil || len(notes) > 0 {
			t.Fatal(err, notes)
		}
		sum := sha256.Sum256(s.Pixels)
		if s.Len() != want.n || s.C != 1 || s.H != 16 || s.W != 16 || s.K() != 5 || !s.Verified() || hex.EncodeToString(sum[:8]) != want.hash {
			t.Errorf("%s: %d images of %d×%d×%d, %d classes, hash %x", split, s.Len(), s.C, s.H, s.W, s.K(), sum[:8])
		}
		count := make([]int, s.K())
		for _, y := range s.Labels {
			count[y]++
		}
		for y, n := range count {
			if n != want.n/s.K() {
				t.Errorf("%s: %d images of %s", split, n, s.Classes[y])
			}
		}
	}
	if s, _, err := Open(Shapes, Train, OpenOptions{Limit: 7}); err != nil || s.Len() != 7 {
		t.Errorf("of 7: %v", err)
	}
	if _, _, err := Open(Shapes, Extra, OpenOptions{}); err == nil {
		t.Error("a third split was drawn")
	}
	if _, err := Verify(Shapes, ""); err != nil {
		t.Error(err)
	}
}
