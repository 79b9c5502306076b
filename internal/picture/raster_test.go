package picture

import (
	"bytes"
	"image/png"
	"testing"
)

// ruler is a chart whose one line goes from corner to corner of the plot.
func ruler(dashed bool) Chart {
	return Chart{Title: "t", Series: []Series{{Points: []Point{{0, 0}, {0.5, 0.5}, {1, 1}}, Dashed: dashed, Filled: dashed}}}
}

func TestChartAsPNGHasTheLineWhereTheAxesPutIt(t *testing.T) {
	b, err := ruler(false).PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	x, y := ruler(false).axes(48)
	px, py := int(at(x.pixel(0.25))), int(at(y.pixel(0.25)))
	r, g, blue, _ := img.At(px, py).RGBA()
	want := lineColors[0]
	if r>>8 != uint32(want.R) || g>>8 != uint32(want.G) || blue>>8 != uint32(want.B) {
		t.Errorf("at (%d,%d) %02x%02x%02x, want the line's colour", px, py, r>>8, g>>8, blue>>8)
	}
	if r, g, blue, _ = img.At(px, py-40).RGBA(); r>>8 != 255 || g>>8 != 255 || blue>>8 != 255 {
		t.Errorf("above the line %02x%02x%02x, want white", r>>8, g>>8, blue>>8)
	}
}

func TestDashesKeepLengthAndGaps(t *testing.T) {
	pieces := dashes([]trace{{x: 0}, {x: 6}, {x: 20}}, 5, 3)
	want := [][2]float64{{0, 5}, {8, 13}, {16, 20}}
	if len(pieces) != len(want) {
		t.Fatalf("%d dashes, want %d: %v", len(pieces), len(want), pieces)
	}
	for i, p := range pieces {
		if p[0].x != want[i][0] || p[len(p)-1].x != want[i][1] {
			t.Errorf("dash %d from %g to %g, want %v", i, p[0].x, p[len(p)-1].x, want[i])
		}
	}
}
