package data

import (
	"slices"
	"testing"
)

// Images of another size, grey and colour become each other.
func TestFit(t *testing.T) {
	grey := &Set{C: 1, H: 28, W: 28, Labels: []int32{0}, Pixels: make([]uint8, 784)}
	for i := range grey.Pixels {
		grey.Pixels[i] = 100
	}
	got := Fit(grey, 3, 32)
	if got.C != 3 || got.H != 32 || len(got.Pixels) != 3072 || slices.ContainsFunc(got.Pixels, func(v uint8) bool { return v != 100 }) {
		t.Errorf("grey to colour: %d×%d×%d", got.C, got.H, got.W)
	}
	colour := &Set{C: 3, H: 8, W: 8, Labels: []int32{0}, Pixels: make([]uint8, 192)}
	for i := range 64 {
		colour.Pixels[i] = 255 // red has a luma of 0.299
	}
	got = Fit(colour, 1, 8)
	if got.C != 1 || len(got.Pixels) != 64 || got.Pixels[0] < 75 || got.Pixels[0] > 77 {
		t.Errorf("colour to grey: %v", got.Pixels[:3])
	}
	if same := Fit(colour, 3, 8); same != colour {
		t.Error("what fits was copied")
	}
}
