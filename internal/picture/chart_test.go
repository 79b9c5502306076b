package picture

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func line(ys ...float64) (points []Point) {
	for i, y := range ys {
		points = append(points, Point{float64(i), y})
	}
	return points
}

// wellFormed checks that a chart is XML.
func wellFormed(t *testing.T, file []byte) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(file)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
	}
}

func TestChartsOfAnythingAreWellFormedAndFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]Chart{
		"nothing":         {},
		"empty series":    {Series: []Series{{}, {Name: "a"}}},
		"markup":          {Title: `<b>&"`, YLabel: "<i>", XLabel: "%d</svg>", Series: []Series{{Name: "<s>", Points: line(1, 2)}, {Name: "%s", Points: nil}}},
		"one point":       {Series: []Series{{Name: "a", Points: line(5)}}},
		"a constant":      {Series: []Series{{Name: "a", Points: line(3, 3, 3)}}},
		"zeros":           {Series: []Series{{Name: "a", Points: line(0, 0)}}},
		"nothing finite":  {Series: []Series{{Name: "a", Points: line(nan, inf, -inf)}}},
		"some not finite": {Series: []Series{{Name: "a", Points: line(1, nan, 2, inf, 3)}}},
		"huge":            {Series: []Series{{Name: "a", Points: line(1e30, -1e30)}}},
		"huge, close":     {Series: []Series{{Name: "a", Points: line(1e17, 1e17+32)}}},
		"tiny":            {Series: []Series{{Name: "a", Points: line(1e-300, 2e-300)}}},
		"log":             {Log: true, Series: []Series{{Name: "a", Points: line(-1, 0, 1e-6, 1)}}},
		"log of nothing":  {Log: true, Series: []Series{{Name: "a", Points: line(-1, 0)}}},
		"log, narrow":     {Log: true, Series: []Series{{Name: "a", Points: line(1, 3)}}},
		"seven series":    {Series: make([]Series, 7)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, file := range [][]byte{c.SVG(), c.SVGFile()} {
				wellFormed(t, file)
				if bad := regexp.MustCompile(`[^a-z](NaN|[+-]?Inf)|%!`).Find(file); bad != nil {
					t.Errorf("%q in\n%s", bad, file)
				}
			}
		})
	}
}

func TestALineHasAGapWhereAValueIsNotFinite(t *testing.T) {
	file := string(Chart{Series: []Series{{Name: "a", Points: line(1, 2, math.NaN(), 3, 4)}}}.SVG())
	if n := strings.Count(file, `class="line s0"`); n != 2 {
		t.Errorf("%d lines, want 2", n)
	}
	if n := strings.Count(file, "<circle"); n != 4 {
		t.Errorf("%d dots, want 4", n)
	}
}

// 100,000 points that alternate between −1 and 1, with one spike: the line is the mean,
// 0, the band has both values, and the spike is still there.
func TestManyPointsBecomeAMeanAndABand(t *testing.T) {
	points := make([]Point, 100_000)
	for i := range points {
		points[i] = Point{float64(i), float64(i%2*2 - 1)}
	}
	points[50_000].Y = 10
	x, y := axis{lo: 0, hi: 99_999, from: 0, to: 300}, axis{lo: -20, hi: 20, from: 0, to: 40}
	lines := traces(points, x, y)
	if len(lines) != 1 || len(lines[0]) > 301 || len(lines[0]) < 300 {
		t.Fatalf("%d lines, the first of %d points", len(lines), len(lines[0]))
	}
	spikes := 0
	for _, p := range lines[0] {
		switch {
		case p.hi == 30:
			spikes++
		case p.x == 300: // the end of the axis is a column with a single point
		case p.lo != 19 || p.hi != 21:
			t.Errorf("at %.1f the band is [%g,%g], want [19,21]", p.x, p.lo, p.hi)
		case math.Abs(p.y-20) > 0.004: // a column has 333 points or more: an odd number is off by 1/333
			t.Errorf("at %.1f the mean is %g, want 20", p.x, p.y)
		}
	}
	if spikes != 1 {
		t.Errorf("the spike is seen %d times", spikes)
	}
	if size := len(Chart{Series: []Series{{Name: "a", Points: points}}}.SVG()); size > 50_000 {
		t.Errorf("the chart has %d bytes", size)
	}
}

func TestTicksAreRoundNumbers(t *testing.T) {
	for _, c := range []struct {
		a    axis
		n    int
		want []float64
	}{
		{axis{lo: 0, hi: 100}, 5, []float64{0, 20, 40, 60, 80, 100}},
		{axis{lo: -0.3, hi: 1.1}, 4, []float64{0, 0.5, 1}},
		{axis{lo: 12345, hi: 12346}, 2, []float64{12345, 12345.5, 12346}},
		{axis{lo: -6, hi: -4, log: true}, 4, []float64{1e-6, 1e-5, 1e-4}},
		{axis{lo: 0, hi: 1, log: true}, 4, []float64{1, 2, 5, 10}},
		{axis{lo: -6, hi: 6, log: true}, 4, []float64{1e-6, 1e-3, 1, 1e3, 1e6}},
	} {
		got := c.a.ticks(c.n)
		if len(got) != len(c.want) {
			t.Errorf("%+v: ticks %v, want %v", c.a, got, c.want)
			continue
		}
		for i := range got {
			// math.Pow and one product: a few ulp, 2⁻⁵² each.
			if math.Abs(got[i]-c.want[i]) > 1e-15*math.Abs(c.want[i]) {
				t.Errorf("%+v: tick %v, want %v", c.a, got[i], c.want[i])
			}
		}
	}
}

func TestLabelsAreShort(t *testing.T) {
	values := []float64{0, 0.25, -1, 0.1 + 0.2, 9999, 10_000, -12_500, 1.5e6, 1e9, 1e-4, 2.5e-10, 1e30, 1.23456e-5, math.Copysign(0, -1) + 0}
	want := []string{"0", "0.25", "−1", "0.3", "9999", "10k", "−12.5k", "1.5M", "1e9", "1e−4", "2.5e−10", "1e30", "1.23e−5", "0"}
	var got []string
	for _, v := range values {
		got = append(got, label(v))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLegendWrapsAndMovesThePlot(t *testing.T) {
	var b svg
	few := Chart{Series: []Series{{Name: "a"}, {Name: "b"}}}
	many := Chart{YLabel: "nats"}
	for range 6 {
		many.Series = append(many.Series, Series{Name: "a rather long name"})
	}
	if one, several := few.legend(&b), many.legend(&b); several != one+2*legendLine {
		t.Errorf("plots begin at %g and %g, want two lines between", one, several)
	}
}
