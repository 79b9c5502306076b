package picture

import (
	"image"
	"slices"
	"testing"
)

func TestWholeNoticesEveryCutAndEveryFlippedBit(t *testing.T) {
	good, err := PNG(image.NewGray(image.Rect(0, 0, 9, 9)))
	if err != nil {
		t.Fatal(err)
	}
	if err := Whole(good); err != nil {
		t.Error(err)
	}
	for n := range good {
		if Whole(good[:n]) == nil {
			t.Errorf("cut to %d of %d bytes: whole", n, len(good))
		}
		for bit := range 8 {
			bad := slices.Clone(good)
			if bad[n] ^= 1 << bit; Whole(bad) == nil {
				t.Errorf("bit %d of byte %d flipped: whole", bit, n)
			}
		}
	}
}
