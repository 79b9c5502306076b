package figure

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"os"
	"strings"
	"testing"
)

func example() Lines {
	return Lines{
		Title: "accuracy under L∞ attacks, 300 images", XLabel: "ε in 1/255", YLabel: "accuracy", YMin: 0, YMax: 1,
		Lines: []Line{
			{Name: "JEM-0", X: []float64{0, 1, 2, 4, 8}, Y: []float64{0.9, 0.7, 0.4, math.NaN(), 0.1}},
			{Name: "JEM-1", X: []float64{0, 1, 2, 4, 8}, Y: []float64{0.9, 0.75, 0.5, 0.2, 0.15}},
			{Name: "−log ‖∂log p(x)/∂x‖₂", X: []float64{0, 8}, Y: []float64{1, 0}, Guide: true},
		},
	}
}

func TestPNG(t *testing.T) {
	file, err := example().PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 1080 || b.Dy() != 600 {
		t.Errorf("got %v", b)
	}
	seen := map[color.NRGBA]int{}
	for y := range 600 {
		for x := range 1080 {
			seen[color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)]++
		}
	}
	for i := range 2 { // both curves are there, in their colours
		if seen[colors(i)] < 100 {
			t.Errorf("curve %d has %d pixels", i, seen[colors(i)])
		}
	}
	again, err := example().PNG()
	if err != nil || !bytes.Equal(file, again) {
		t.Errorf("drawn twice, it differs: %v", err)
	}
	if name := os.Getenv("JEM_FIGURE"); name != "" {
		if err := os.WriteFile(name, file, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPNGRefuses(t *testing.T) {
	for _, d := range []Lines{
		{},
		{Lines: []Line{{X: []float64{1}, Y: []float64{math.NaN()}}}},
		{LogX: true, Lines: []Line{{X: []float64{0}, Y: []float64{1}}}},
		{Lines: []Line{{X: []float64{1, 2}, Y: []float64{1}}}},
	} {
		if _, err := d.PNG(); err == nil {
			t.Errorf("%+v was drawn", d)
		}
	}
}

// Grey prints keep colours apart by 8 % of white between any two; their luminance is that of
// sRGB's gamma-encoded values, which is what printers and eyes see as even.
func TestColorsDifferInGrey(t *testing.T) {
	grey := func(c color.NRGBA) float64 {
		return (0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)) / 255
	}
	for i := range 6 {
		for j := range i {
			if math.Abs(grey(colors(i))-grey(colors(j))) < 0.08 {
				t.Errorf("colours %d and %d have grey %.2f and %.2f", i, j, grey(colors(i)), grey(colors(j)))
			}
		}
	}
}

// Two samples share bins from 0 to 4: the first has a quarter in each, the second all in the last.
func TestDensity(t *testing.T) {
	d := Density(4, []float64{0, 1, 2, 3}, []float64{4, 4})
	if len(d) != 2 || len(d[0].X) != 10 {
		t.Fatalf("got %+v", d)
	}
	for i, want := range []float64{0, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0} {
		if d[0].Y[i] != want {
			t.Errorf("point %d: got %g, want %g", i, d[0].Y[i], want)
		}
	}
	if d[1].Y[8] != 1 || d[1].Y[1] != 0 || d[1].X[9] != 4 {
		t.Errorf("got %+v", d[1])
	}
	if one := Density(2, []float64{3, 3}); one[0].X[0] != 2.5 || one[0].X[len(one[0].X)-1] != 3.5 {
		t.Errorf("a single value: got %+v", one)
	}
}

func TestTicksAreFewAndRound(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"}, {0, 16, "0 2 4 6 8 10 12 14 16"}, {-3.2, 1.1, "-3 -2 -1 0 1"},
		{0, 2000, "0 500 1000 1500 2000"}, {0.012, 0.018, "0.012 0.013 0.014 0.015 0.016 0.017 0.018"},
	} {
		var labels []string
		for _, at := range (ticks{}).Ticks(c.lo, c.hi) {
			labels = append(labels, at.Label)
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%g to %g: got %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}
