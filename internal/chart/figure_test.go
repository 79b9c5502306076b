package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

func example() Chart {
	return Chart{
		Title: "accuracy under L∞ attacks, 300 images", XLabel: "ε in 1/255", YLabel: "accuracy", YMin: 0, YMax: 1,
		Lines: []Line{
			{Name: "JEM-0", X: []float64{0, 1, 2, 4, 8}, Y: []float64{0.9, 0.7, 0.4, math.NaN(), 0.1}},
			{Name: "JEM-1", X: []float64{0, 1, 2, 4, 8}, Y: []float64{0.9, 0.75, 0.5, 0.2, 0.15}},
			{Name: "−log ‖∂log p(x⁺)/∂x‖₂", X: []float64{0, 8}, Y: []float64{1, 0}, Guide: true},
		},
	}
}

// keep leaves a diagram in the folder that JEM_FIGURES names, to be looked at.
func keep(t *testing.T, name string, file []byte) {
	t.Helper()
	if folder := os.Getenv("JEM_FIGURES"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name), file, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPNG(t *testing.T) {
	file, err := example().PNG()
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "example.png", file)
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 1080 || b.Dy() != 680 {
		t.Errorf("got %v", b)
	}
	seen := map[color.NRGBA]int{}
	for y := range 680 {
		for x := range 1080 {
			seen[color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)]++
		}
	}
	for i := range 2 { // both curves are there, in their colours
		if seen[curves[i].light] < 100 {
			t.Errorf("curve %d has %d pixels", i, seen[curves[i].light])
		}
	}
}

// fourPanels are panels with all that they can have: bars, named places, a curve that only one has.
func fourPanels() Panels {
	ticks := []Tick{{0, "10"}, {1, "100"}, {2, "all"}}
	curve := func(name string, from, bar float64) (l Line) {
		l.Name = name
		for i := range 3 {
			l.AddError(float64(i), from/(1+float64(i)), bar)
		}
		return l
	}
	var p Panels
	p.Title = "Few labels"
	for i, what := range []string{"accuracy, %", "ECE, %", "NLL, nats", "accuracy under PGD, %"} {
		c := Chart{YLabel: what, XLabel: "labels a class", XTicks: ticks, Lines: []Line{curve("twin", 60, 4), curve("JEM", 20, 0), {}}}
		if i == 1 {
			c.Lines[2] = curve("twin with a temperature", 5, 1)
		}
		if i == 2 {
			c.YLog, c.Lines[1].Y[0], c.Lines[0].Err[1] = true, 0, 1000 // what a logarithm is not of
		}
		p.Charts = append(p.Charts, c)
	}
	return p
}

func TestDecades(t *testing.T) {
	for _, of := range []struct {
		lo, hi float64
		want   string
	}{{1, 30, "1 2 5 10 20"}, {0.3, 2.5, "0.5 1 2"}, {1e-3, 1e4, "0.001 0.01 0.1 1 10 100 1e+03 1e+04"}} {
		var got []string
		for _, tick := range (decades{}).Ticks(of.lo, of.hi) {
			got = append(got, tick.Label)
		}
		if strings.Join(got, " ") != of.want {
			t.Errorf("%g to %g: %q", of.lo, of.hi, got)
		}
	}
	empty := Chart{YLog: true, YMin: -1, YMax: 1}
	if _, err := empty.PNG(); err != nil {
		t.Error(err)
	}
}

func TestPanels(t *testing.T) {
	file, err := fourPanels().PNG()
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "panels.png", file)
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 1840 || b.Dy() < 2*580 {
		t.Errorf("got %v", b)
	}
	drawing, err := fourPanels().SVG()
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, drawing)
	for _, text := range []string{"Few labels", "twin with a temperature", "NLL, nats", "all"} {
		if !bytes.Contains(drawing, []byte(">"+text+"<")) {
			t.Errorf("no %q in the drawing", text)
		}
	}
	if n := bytes.Count(drawing, []byte(">JEM<")); n != 1 {
		t.Errorf("%d entries of one curve", n)
	}
}

func TestBarsAreDrawnWhereTheyAreFinite(t *testing.T) {
	l := Line{Name: "a"}
	for i, e := range []float64{1, 0, math.NaN(), math.Inf(1), 2} {
		l.AddError(float64(i), 1, e)
	}
	drawing, err := Chart{Lines: []Line{l}}.SVG()
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, drawing)
	l.Err = l.Err[:1]
	if _, err := (Chart{Title: "t", Lines: []Line{l}}).SVG(); err == nil || !strings.Contains(err.Error(), `"a" has 5 x and 5 y with 1 bars`) {
		t.Errorf("got %v", err)
	}
}

func TestDrawnTwiceIsTheSame(t *testing.T) {
	style := func() ([]byte, error) { return []byte(Style()), nil }
	for name, draw := range map[string]func() ([]byte, error){"PNG": example().PNG, "SVG": example().SVG, "element": example().Element, "style": style} {
		one, err1 := draw()
		two, err2 := draw()
		if err1 != nil || err2 != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs: %v, %v", name, err1, err2)
		}
	}
}

func TestUnequalLengthsAreRefused(t *testing.T) {
	if _, err := (Chart{Title: "t", Lines: []Line{{Name: "a", X: []float64{1, 2}, Y: []float64{1}}}}).PNG(); err == nil || err.Error() != `figure "t": "a" has 2 x and 1 y` {
		t.Errorf("got %v", err)
	}
}

// wellFormed checks that a drawing is XML, and finite.
func wellFormed(t *testing.T, file []byte) {
	t.Helper()
	if bad := regexp.MustCompile(`[^a-z](NaN|[+-]?Inf)|%!`).Find(file); bad != nil {
		t.Errorf("%q in\n%s", bad, file)
	}
	for d := xml.NewDecoder(bytes.NewReader(file)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
	}
}

func line(ys ...float64) (l Line) {
	for i, y := range ys {
		l.Add(float64(i), y)
	}
	return l
}

func TestAnythingIsDrawnWellFormedAndFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	markup := line(1, 2)
	markup.Name = "<s>%s"
	for name, c := range map[string]Chart{
		"nothing":         {},
		"empty lines":     {Lines: []Line{{}, {Name: "a"}}},
		"markup":          {Title: `<b>&"`, YLabel: "<i>", XLabel: "%d</svg>", Lines: []Line{markup}},
		"one point":       {Lines: []Line{line(5)}},
		"a constant":      {Lines: []Line{line(3, 3, 3)}},
		"zeros":           {Lines: []Line{line(0, 0)}},
		"nothing finite":  {Lines: []Line{line(nan, inf, -inf)}},
		"some not finite": {Lines: []Line{line(1, nan, 2, inf, 3)}},
		"huge":            {Lines: []Line{line(1e30, -1e30)}},
		"largest":         {Lines: []Line{line(math.MaxFloat64, -math.MaxFloat64, 1e300, -1e300)}},
		"huge, close":     {Lines: []Line{line(1e17, 1e17+32)}},
		"tiny":            {Lines: []Line{line(1e-299, 2e-299)}},
		"least":           {Lines: []Line{line(math.SmallestNonzeroFloat64, 0)}},
		"many lines":      {Lines: make([]Line, 20)},
		"far from XMin":   {XMax: 1, Lines: []Line{{X: make([]float64, 1000), Y: make([]float64, 1000)}, line(1e30, 2, 4)}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, draw := range []func() ([]byte, error){c.SVG, c.Element} {
				file, err := draw()
				if err != nil {
					t.Fatal(err)
				}
				wellFormed(t, file)
			}
		})
	}
}

// On a page every colour is one of Style's, whatever is drawn.
func TestElementsHaveThePagesColours(t *testing.T) {
	c := example()
	for i := range len(curves) {
		l := line(make([]float64, 1000)...)
		for j := range l.Y {
			l.Y[j] = float64(i + j%2)
		}
		c.Lines = append(c.Lines, l, Line{Name: "filled", Filled: true, X: []float64{0, 1, 1}, Y: []float64{0, 0, 1}})
	}
	file, err := c.Element()
	if err != nil {
		t.Fatal(err)
	}
	if fixed := regexp.MustCompile(`#[0-9A-F]{6}`).Find(file); fixed != nil {
		t.Errorf("the colour %s is fixed", fixed)
	}
	for _, name := range regexp.MustCompile(`var\((--[a-z0-9-]+)\)`).FindAllStringSubmatch(string(file), -1) {
		if n := strings.Count(Style(), name[1]+":"); n != 2 {
			t.Fatalf("%s is defined %d times, want for light and dark", name[1], n)
		}
	}
	if n := bytes.Count(file, []byte("fill-opacity")); n < 2*len(curves) {
		t.Errorf("%d bands and filled lines, want %d", n, 2*len(curves))
	}
}

// Grey prints keep colours apart by 8 % of white between any two; their luminance is that of
// sRGB's gamma-encoded values, which is what printers and eyes see as even.
func TestColorsDifferInGrey(t *testing.T) {
	grey := func(c color.NRGBA) float64 {
		return (0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)) / 255
	}
	for name, paper := range map[string]func(shade) color.NRGBA{"white": func(s shade) color.NRGBA { return s.light }, "dark": func(s shade) color.NRGBA { return s.dark }} {
		for i := range curves {
			for j := range i {
				if a, b := grey(paper(curves[i])), grey(paper(curves[j])); math.Abs(a-b) < 0.08 {
					t.Errorf("on %s paper colours %d and %d have grey %.2f and %.2f", name, i, j, a, b)
				}
			}
		}
	}
}

func TestALineHasAGapWhereAValueIsNotFinite(t *testing.T) {
	pieces := line(1, 2, math.NaN(), 3, math.Inf(1), 5).pieces(0, 5)
	if len(pieces) != 3 || len(pieces[0]) != 2 || len(pieces[1]) != 1 || pieces[2][0] != (column{5, 5, 5, 5}) {
		t.Errorf("got %v", pieces)
	}
}

// 96,000 points that alternate between −1 and 1, with one spike: each column has 300 of them,
// the line is their mean, 0, the band has both values, and the spike is still there.
func TestManyPointsBecomeAMeanAndABand(t *testing.T) {
	const n = 300 * columns
	var l Line
	for i := range n {
		l.Add(float64(i), float64(i%2*2-1))
	}
	l.Y[n/2] = 11
	pieces := l.pieces(0, n)
	if len(pieces) != 1 || len(pieces[0]) != columns {
		t.Fatalf("%d pieces, the first of %d columns", len(pieces), len(pieces[0]))
	}
	for i, c := range pieces[0] {
		want := column{x: float64(i)*300 + 149.5, lo: -1, hi: 1}
		if i == columns/2 {
			want.y, want.hi = 12.0/300, 11
		}
		// A mean of 300 numbers up to n, each step rounded: 300 · n · 2⁻⁵³ < 1e-8.
		if math.Abs(c.x-want.x) > 1e-8 || math.Abs(c.y-want.y) > 1e-8 || c.lo != want.lo || c.hi != want.hi {
			t.Errorf("column %d: got %v, want %v", i, c, want)
		}
	}
	if band := pieces[0].band(); len(band) != 2*columns {
		t.Errorf("the band has %d points", len(band))
	}
	file, err := Chart{Title: "many points", Lines: []Line{l}}.Element()
	if err != nil || len(file) > 30_000 {
		t.Errorf("the drawing has %d bytes: %v", len(file), err)
	}
}

// The font lacks raised signs, and of course much else.
func TestTextsOfFilesHaveLettersOfTheFont(t *testing.T) {
	c := Chart{Title: "f(x⁺) − f(x⁻)", XLabel: "ε·255, L∞", YLabel: "日é", Lines: []Line{{Name: "−log ‖∂log p(x)/∂x‖₂ ± σ"}}}
	got := c.plain()
	if got.Title != "f(x+) − f(x−)" || got.XLabel != c.XLabel || got.YLabel != "?é" || got.Lines[0].Name != c.Lines[0].Name {
		t.Errorf("got %+v", got)
	}
	c.Lines[0].Name = "x⁻"
	if c.plain(); c.Lines[0].Name != "x⁻" {
		t.Error("the diagram itself was changed")
	}
}

func TestLegendWraps(t *testing.T) {
	var k key
	area := draw.New(vgsvg.New(width, height))
	for range 6 {
		k.add(Line{Name: "a rather long name"}, lookOf(0, Line{}))
	}
	one, two := k[:1].draw(area), k.draw(area)
	if one <= 0 || two < 2*(one-border) || k[:0].draw(area) != 0 {
		t.Errorf("legends are %v, %v and %v high", k[:0].draw(area), one, two)
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
		{0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"}, {0, 16, "0 2 4 6 8 10 12 14 16"}, {-3.2, 1.1, "−3 −2 −1 0 1"},
		{0, 2000, "0 500 1000 1500 2000"}, {0, 20000, "0 5k 10k 15k 20k"}, {-5e5, 1.5e6, "−0.5M 0 0.5M 1.0M 1.5M"}, {0, 1e-4, "0 0.2e−4 0.4e−4 0.6e−4 0.8e−4 1.0e−4"}, {0, 4e30, "0 0.5e30 1.0e30 1.5e30 2.0e30 2.5e30 3.0e30 3.5e30 4.0e30"},
		{0.012, 0.018, "0.012 0.013 0.014 0.015 0.016 0.017 0.018"},
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
