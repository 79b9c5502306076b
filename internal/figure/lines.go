package figure

import (
	"bytes"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// The size of a diagram in inches, and its resolution.
const (
	width, height = 7.2 * vg.Inch, 4.0 * vg.Inch
	dpi           = 150
)

// maxMarked is the number of points up to which each is marked.
const maxMarked = 40

// Line is a curve.
type Line struct {
	Name   string
	X, Y   []float64 // of one length; a point that is not finite leaves a gap
	Filled bool      // down to 0, for outlines that begin and end there
	Guide  bool      // thin and grey, without a mark: something to compare with
}

// Lines is a diagram of curves. The zero Min and Max leave an axis to the data.
type Lines struct {
	Title, XLabel, YLabel  string
	XMin, XMax, YMin, YMax float64
	LogX                   bool // logarithmic x; what isn't above 0 leaves a gap
	Lines                  []Line
}

// PNG draws the diagram.
func (d Lines) PNG() ([]byte, error) {
	p, legend := plot.New(), plot.NewLegend()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = d.Title, d.XLabel, d.YLabel
	p.Title.Padding, p.X.Padding, p.Y.Padding = 6, 4, 4
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{}, ticks{}
	if d.LogX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &legend.TextStyle} {
		style.Font.Variant = "Sans"
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faint, faint
	p.Add(grid)
	drawn := 0
	for i, l := range d.Lines {
		n, err := d.add(p, &legend, l, i)
		if err != nil {
			return nil, err
		}
		drawn += n
	}
	if drawn == 0 {
		return nil, fmt.Errorf("figure %q: no point to draw", d.Title)
	}
	d.limit(&p.X, d.XMin, d.XMax)
	d.limit(&p.Y, d.YMin, d.YMax)
	return encode(p, legend)
}

// limit sets an axis's ends where the diagram says them.
func (d Lines) limit(a *plot.Axis, lo, hi float64) {
	if lo < hi {
		a.Min, a.Max = lo, hi
	}
}

// add draws curve number i and returns how many points it has.
func (d Lines) add(p *plot.Plot, legend *plot.Legend, l Line, i int) (int, error) {
	if len(l.X) != len(l.Y) {
		return 0, fmt.Errorf("figure %q: %q has %d x and %d y", d.Title, l.Name, len(l.X), len(l.Y))
	}
	look := lookOf(i, l)
	n := 0
	for _, piece := range d.pieces(l) {
		n += len(piece)
		line, err := plotter.NewLine(piece)
		if err != nil {
			return n, err
		}
		line.LineStyle = look.line
		if l.Filled {
			line.FillColor = look.fill
		}
		p.Add(line)
		if len(l.X) <= maxMarked && !l.Filled && !l.Guide {
			marks, err := plotter.NewScatter(piece)
			if err != nil {
				return n, err
			}
			marks.GlyphStyle = look.mark
			p.Add(marks)
		}
	}
	if l.Name != "" {
		legend.Add(l.Name, look.thumbnails(l, len(l.X) <= maxMarked)...)
	}
	return n, nil
}

// pieces cuts a curve at the points that can't be drawn.
func (d Lines) pieces(l Line) (all []plotter.XYs) {
	var piece plotter.XYs
	for i := range l.X {
		x, y := l.X[i], l.Y[i]
		if math.IsNaN(x+y) || math.IsInf(x+y, 0) || d.LogX && x <= 0 {
			if len(piece) > 0 {
				all, piece = append(all, piece), nil
			}
			continue
		}
		piece = append(piece, plotter.XY{X: x, Y: y})
	}
	if len(piece) > 0 {
		all = append(all, piece)
	}
	return all
}

// encode draws the plot and, right of it, where it hides nothing, the legend.
func encode(p *plot.Plot, legend plot.Legend) ([]byte, error) {
	const border = 6
	img := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	c := draw.Crop(draw.New(img), border, -border, border, -border)
	legend.Top, legend.Padding, legend.ThumbnailWidth, legend.XOffs, legend.YOffs = true, 3, 0.4*vg.Inch, 0, -0.4*vg.Inch
	beside := legend.Rectangle(c).Size().X
	if beside > 0 {
		legend.Draw(c)
		beside += 2 * border
	}
	p.Draw(draw.Crop(c, 0, -beside-border, 0, 0))
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: img}.WriteTo(&b)
	return b.Bytes(), err
}
