package figure

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// faint is the colour of the grid, quiet that of guides.
var faint, quiet = color.NRGBA{0xe2, 0xe2, 0xe2, 0xff}, color.NRGBA{0x70, 0x70, 0x70, 0xff}

// look is how a curve is drawn.
type look struct {
	line draw.LineStyle
	mark draw.GlyphStyle
	fill color.Color
}

// colors alternate between dark and light: their luminances are 29, 57, 16, 68, 43 and 80 % of white.
func colors(i int) color.NRGBA {
	return []color.NRGBA{
		{0x1f, 0x4e, 0x9e, 0xff}, {0xe0, 0x7b, 0x1a, 0xff}, {0x5a, 0x0f, 0x3c, 0xff},
		{0x6c, 0xc8, 0xd8, 0xff}, {0x3a, 0x8f, 0x3e, 0xff}, {0xe6, 0xd4, 0x4e, 0xff},
	}[i%6]
}

func dashes(i int) []vg.Length {
	return [][]vg.Length{nil, {6, 3}, {2, 2}, {9, 3, 2, 3}, {4, 2}, {1, 3}}[i%6]
}

func shape(i int) draw.GlyphDrawer {
	return []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{},
	}[i%6]
}

// lookOf is the look of curve number i.
func lookOf(i int, l Line) look {
	c := colors(i)
	k := look{line: draw.LineStyle{Color: c, Width: 1.6, Dashes: dashes(i)}, mark: draw.GlyphStyle{Color: c, Radius: 3, Shape: shape(i)}}
	if l.Guide {
		k.line = draw.LineStyle{Color: quiet, Width: 1, Dashes: []vg.Length{3, 3}}
	}
	c.A = 0x50
	k.fill = c
	return k
}

// thumbnails are what the legend shows of a curve.
func (k look) thumbnails(l Line, marked bool) []plot.Thumbnailer {
	line := &plotter.Line{LineStyle: k.line}
	if l.Filled {
		line.FillColor = k.fill
	}
	if l.Filled || l.Guide || !marked {
		return []plot.Thumbnailer{line}
	}
	return []plot.Thumbnailer{line, &plotter.Scatter{GlyphStyle: k.mark}}
}
