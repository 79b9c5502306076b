package chart

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The size of a diagram in points, and the room that stays empty at its edges.
const (
	width, height = 5.4 * vg.Inch, 3.4 * vg.Inch
	border        = 6
)

// maxMarked is the number of points up to which each is marked.
const maxMarked = 40

// Line is a curve. Where it has more points than a diagram can show beside each other, its mean
// is drawn, and the range from the least to the largest as a band.
type Line struct {
	Name   string
	X, Y   []float64 // of one length, X ascending; a point that is not finite leaves a gap
	Err    []float64 // half the height of a bar at each point; nil: there are none
	Filled bool      // down to 0, for outlines that begin and end there
	Guide  bool      // thin and grey, without a mark: something to compare with
}

// Add appends a point.
func (l *Line) Add(x, y float64) { l.X, l.Y = append(l.X, x), append(l.Y, y) }

// AddError appends a point with a bar from y−e to y+e.
func (l *Line) AddError(x, y, e float64) {
	l.Add(x, y)
	l.Err = append(l.Err, e)
}

// Tick is a place on an axis with its name.
type Tick struct {
	At    float64
	Label string
}

// Chart is a diagram of curves. The zero Min and Max leave an axis to the data. Without a point
// that can be drawn it is an empty grid.
type Chart struct {
	Title, XLabel, YLabel  string
	XMin, XMax, YMin, YMax float64
	XTicks                 []Tick // none: round numbers
	YLog                   bool   // y on a logarithmic axis, where what is not positive leaves a gap
	Lines                  []Line
}

// draw draws the diagram, and the legend below it, where it hides nothing.
func (c Chart) draw(on vg.CanvasSizer) error {
	var k key
	for i, l := range c.Lines {
		k.add(l, lookOf(i, l))
	}
	p, err := c.plot()
	if err != nil {
		return err
	}
	area := draw.Crop(draw.New(on), border, -border, border, -border)
	p.Draw(draw.Crop(area, 0, -border, k.draw(area), 0))
	return nil
}

// plot is the diagram without a legend.
func (c Chart) plot() (*plot.Plot, error) {
	p := plot.New()
	p.BackgroundColor = nil // the canvas has one, or the page
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.XLabel, c.YLabel
	p.Title.Padding, p.X.Padding, p.Y.Padding = 6, 4, 4
	font(&p.Title.TextStyle, 12)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		font(&a.Label.TextStyle, 11)
		font(&a.Tick.Label, 10)
		a.LineStyle.Color, a.Tick.LineStyle.Color, a.Tick.Marker = quiet.light, quiet.light, ticks{}
	}
	if len(c.XTicks) > 0 {
		p.X.Tick.Marker = named(c.XTicks)
	}
	if c.YLog {
		c.Lines = positive(c.Lines)
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decades{}
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faint.light, faint.light
	p.Add(grid)
	lo, hi := c.span()
	for i, l := range c.Lines {
		if len(l.X) != len(l.Y) || l.Err != nil && len(l.Err) != len(l.Y) {
			return nil, fmt.Errorf("figure %q: %q has %d x and %d y%s", c.Title, l.Name, len(l.X), len(l.Y), l.bars())
		}
		if err := l.add(p, lookOf(i, l), lo, hi); err != nil {
			return nil, fmt.Errorf("figure %q: %w", c.Title, err)
		}
	}
	settle(&p.X, lo, hi)
	low := c.YMin
	if c.YLog && low <= 0 { // it can't be shown: that end is the data's
		low = p.Y.Min
	}
	settle(&p.Y, low, c.YMax)
	if c.YLog && p.Y.Min <= 0 { // there is nothing to draw
		p.Y.Min, p.Y.Max = 0.1, 10
	}
	return p, nil
}

// positive leaves a gap for what a logarithmic axis can't show, and ends bars above 0.
func positive(lines []Line) []Line {
	all := slices.Clone(lines)
	for i, l := range all {
		all[i].Y, all[i].Err = slices.Clone(l.Y), slices.Clone(l.Err)
		for j, y := range l.Y {
			if y <= 0 {
				all[i].Y[j] = math.NaN()
			} else if j < len(l.Err) {
				all[i].Err[j] = min(l.Err[j], 0.9*y)
			}
		}
	}
	return all
}

// bars counts the bars, for a message.
func (l Line) bars() string {
	if l.Err == nil {
		return ""
	}
	return fmt.Sprintf(" with %d bars", len(l.Err))
}

// font sets size and colour of text.
func font(s *text.Style, size vg.Length) {
	s.Font.Variant, s.Font.Size, s.Color = "Sans", size, ink.light
}

// span is the range of x that is shown.
func (c Chart) span() (lo, hi float64) {
	if c.XMin < c.XMax {
		return c.XMin, c.XMax
	}
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, l := range c.Lines {
		for _, x := range l.X {
			if drawable(x) {
				lo, hi = min(lo, x), max(hi, x)
			}
		}
	}
	return lo, hi
}

// settle sets an axis's ends: lo and hi if they are in order, else those of what was drawn,
// farther apart if they are too close to be told from each other.
func settle(a *plot.Axis, lo, hi float64) {
	switch {
	case lo < hi:
		a.Min, a.Max = lo, hi
	case a.Min > a.Max:
		a.Min, a.Max = 0, 1
	}
	if largest := max(math.Abs(a.Min), math.Abs(a.Max)); a.Max-a.Min <= max(1e-9*largest, 1e-300) {
		room := max(largest/10, 0.5)
		a.Min, a.Max = a.Min-room, a.Max+room
	}
}

// add draws the curve: its bars, its bands, then its lines, then marks where there are few points or a
// single one.
func (l Line) add(p *plot.Plot, look look, lo, hi float64) error {
	if err := l.addBars(p, look); err != nil {
		return err
	}
	for _, piece := range l.pieces(lo, hi) {
		if outline := piece.band(); outline != nil {
			band, err := plotter.NewPolygon(outline)
			if err != nil {
				return err
			}
			band.Color, band.LineStyle.Width = look.fill, 0
			p.Add(band)
		}
		line, marks := &plotter.Line{XYs: piece.line(), LineStyle: look.line}, &plotter.Scatter{XYs: piece.line(), GlyphStyle: look.mark}
		if l.Filled {
			line.FillColor = look.fill
		}
		p.Add(line)
		if l.marked() || len(piece) == 1 {
			p.Add(marks)
		}
	}
	return nil
}

// addBars draws the bars of the points that can be drawn.
func (l Line) addBars(p *plot.Plot, look look) error {
	var at struct {
		plotter.XYs
		plotter.YErrors
	}
	for i, e := range l.Err {
		if e > 0 && drawable(e) && drawable(l.X[i]) && drawable(l.Y[i]) {
			at.XYs = append(at.XYs, plotter.XY{X: l.X[i], Y: l.Y[i]})
			at.YErrors = append(at.YErrors, struct{ Low, High float64 }{e, e})
		}
	}
	if len(at.XYs) == 0 {
		return nil
	}
	bars, err := plotter.NewYErrorBars(at)
	if err != nil {
		return err
	}
	bars.LineStyle.Color, bars.LineStyle.Width, bars.CapWidth = look.line.Color, 1, 5
	p.Add(bars)
	return nil
}

// marked reports whether each point has a mark.
func (l Line) marked() bool { return len(l.X) <= maxMarked && !l.Filled && !l.Guide }
