package picture

import (
	"html"
	"math"
	"slices"
)

// Point is one observation.
type Point struct{ X, Y float64 }

// Series is a line of a chart. Points are in the order of X. What cannot be shown (NaN,
// infinities, numbers below zero on a logarithmic axis) leaves a gap.
type Series struct {
	Name   string
	Points []Point
	Dashed bool // so that it differs from another without colours
	Filled bool // down to the baseline, for outlines that begin and end there
}

// Chart is a line chart of up to six series.
type Chart struct {
	Title  string
	XLabel string
	YLabel string
	Log    bool // logarithmic y
	Series []Series
}

// ChartStyle is the CSS that charts need, for light and for dark pages. A page has it
// once; SVGFile brings its own.
const ChartStyle = `.chart{--c0:#1f6fb4;--c1:#c65d00;--c2:#16845b;--c3:#8b4bb5;--c4:#b8323c;--c5:#5f6b76;
--chart-ink:#24292f;--chart-soft:#5c6670;--chart-grid:#e3e6ea;font:11px system-ui,sans-serif;fill:var(--chart-soft)}
@media (prefers-color-scheme:dark){.chart{--c0:#6cb2f0;--c1:#f29d4e;--c2:#58c596;--c3:#c79be8;--c4:#f2838a;--c5:#a3adb7;
--chart-ink:#e6e9ec;--chart-soft:#a0a9b2;--chart-grid:#343b43}}
.chart .title{font-size:13px;font-weight:600;fill:var(--chart-ink)}
.chart .grid{stroke:var(--chart-grid);stroke-width:1}
.chart .line{fill:none;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.chart .dashed{stroke-dasharray:5 3}
.chart .band{stroke:none;opacity:.22}
.chart .end{text-anchor:end}.chart .mid{text-anchor:middle}
.s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}.s4{stroke:var(--c4)}.s5{stroke:var(--c5)}
.f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}.f3{fill:var(--c3)}.f4{fill:var(--c4)}.f5{fill:var(--c5)}
`

// The size of a chart and its margins, in its own pixels; pages scale it.
const (
	chartW, chartH          = 400, 250
	marginL, marginR        = 50, 12
	marginB                 = 36
	firstLegend, legendLine = 36, 16 // baseline of the first line under the title; distance of lines
	charW                   = 6.1    // about the width of a character
	colors                  = 6
)

// SVG returns the chart as an element for an HTML page that has ChartStyle.
func (c Chart) SVG() []byte { return c.render(0, "") }

// SVGFile returns the chart as a file of its own.
func (c Chart) SVGFile() []byte { return c.render(12, "<style>"+ChartStyle+"</style>\n") }

// render draws the chart with an empty border around it.
func (c Chart) render(border int, style string) []byte {
	var b svg
	b.printf(`<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="%d %d %d %d" role="img" aria-label="%s">`+"\n%s",
		-border, -border, chartW+2*border, chartH+2*border, html.EscapeString(c.Title), style)
	c.draw(&b)
	b.printf("</svg>\n")
	return b.Bytes()
}

// canvas is what a chart is drawn on. Places are in the chart's pixels.
type canvas interface {
	text(class string, x, y float64, s string) // class: title, end, mid (of the text at x) or ""
	rule(x, y, dx, dy float64)                 // a line of the grid
	swatch(color int, x, y float64)            // a colour in the legend
	line(color int, dashed bool, points []trace)
	area(color int, outline []trace) // x and y count
	dot(color int, x, y float64)
}

func (c Chart) draw(b canvas) {
	b.text("title", 0, 14, c.Title)
	top := c.legend(b)
	x, y := c.axes(top)
	c.grid(b, x, y)
	for i, s := range c.Series {
		drawSeries(b, i%colors, s, x, y)
	}
}

// drawSeries draws one series: bands first, lines over them, and dots where there are few
// points.
func drawSeries(b canvas, color int, s Series, x, y axis) {
	lines := traces(s.Points, x, y)
	total := 0
	for _, line := range lines {
		total += len(line)
		if band := band(line); band != nil {
			b.area(color, band)
		}
	}
	for _, line := range lines {
		if len(line) > 1 {
			if s.Filled {
				b.area(color, line)
			}
			b.line(color, s.Dashed, line)
		}
		if len(line) == 1 || total <= 30 {
			for _, p := range line {
				b.dot(color, p.x, p.y)
			}
		}
	}
}

// band goes along the upper edge and back along the lower one; nil if there is nothing
// between them.
func band(line []trace) (outline []trace) {
	thick := false
	for _, p := range line {
		thick = thick || p.hi > p.lo
		outline = append(outline, trace{x: p.x, y: p.lo})
	}
	if !thick {
		return nil
	}
	for _, p := range slices.Backward(line) {
		outline = append(outline, trace{x: p.x, y: p.hi})
	}
	return outline
}

// legend writes the y axis's name and the series' names, and returns where the plot
// may begin.
func (c Chart) legend(b canvas) (top float64) {
	x, y := 0.0, float64(firstLegend)
	place := func(width float64) {
		if x > 0 && x+width > chartW {
			x, y = 0, y+legendLine
		}
	}
	if c.YLabel != "" {
		b.text("", x, y, c.YLabel)
		x += textWidth(c.YLabel) + 14
	}
	if len(c.Series) > 1 {
		for i, s := range c.Series {
			width := textWidth(s.Name) + 14
			place(width)
			b.swatch(i%colors, x, y-5)
			b.text("", x+13, y, s.Name)
			x += width + 12
		}
	}
	return y + 12
}

// axes fits the axes to the data.
func (c Chart) axes(top float64) (x, y axis) {
	x = axis{lo: math.Inf(1), hi: math.Inf(-1), from: marginL, to: chartW - marginR}
	y = axis{lo: math.Inf(1), hi: math.Inf(-1), from: chartH - marginB, to: top, log: c.Log}
	for _, s := range c.Series {
		for _, p := range s.Points {
			if !math.IsNaN(x.scaled(p.X)) && !math.IsNaN(y.scaled(p.Y)) {
				x.include(p.X)
				y.include(p.Y)
			}
		}
	}
	x.settle(0)
	y.settle(0.05)
	return x, y
}

// grid draws the lines and numbers of both axes.
func (c Chart) grid(b canvas, x, y axis) {
	for _, v := range y.ticks(4) {
		at := y.pixel(v)
		b.rule(marginL, at, chartW-marginR-marginL, 0)
		b.text("end", marginL-6, at+4, label(v))
	}
	for _, v := range x.ticks(5) {
		at := x.pixel(v)
		b.rule(at, chartH-marginB, 0, 4)
		class := "mid"
		if at > chartW-marginR-10 { // a number at the edge would be cut off
			class, at = "end", chartW
		}
		b.text(class, at, chartH-marginB+16, label(v))
	}
	b.text("mid", (marginL+chartW-marginR)/2, chartH-4, c.XLabel)
}
