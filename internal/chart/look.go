package chart

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// shade is a colour on white and on dark paper.
type shade struct{ light, dark color.NRGBA }

func rgb(v uint32) color.NRGBA { return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff} }

// ink is the colour of text, quiet that of axes and guides, faint that of the grid. They have to
// differ from each other and from black, which an SVG file leaves out.
var ink, quiet, faint = shade{rgb(0x24292f), rgb(0xe6e9ec)}, shade{rgb(0x707070), rgb(0x9a9fa5)}, shade{rgb(0xe2e2e2), rgb(0x343b43)}

// curves are the colours of curves, dark and light ones in turn: their luminances are 29, 56, 16,
// 66, 43 and 74 % of white, on dark paper 62, 51, 82, 39, 72 and 91 %.
var curves = [...]shade{
	{rgb(0x1f4e9e), rgb(0x6ca6f0)}, {rgb(0xe07b1a), rgb(0xd66828)}, {rgb(0x5a0f3c), rgb(0xf5bedc)},
	{rgb(0x64c2d2), rgb(0x2a788c)}, {rgb(0x3a8f3e), rgb(0x8cd782)}, {rgb(0xdbc83c), rgb(0xfaf096)},
}

// look is how a curve is drawn.
type look struct {
	line draw.LineStyle
	mark draw.GlyphStyle
	fill color.Color
}

func dashes(i int) []vg.Length {
	return [][]vg.Length{nil, {6, 3}, {2, 2}, {9, 3, 2, 3}, {4, 2}, {12, 2, 2, 2, 2, 2}}[i%6]
}

func shape(i int) draw.GlyphDrawer {
	return []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{},
	}[i%6]
}

// lookOf is the look of curve number i.
func lookOf(i int, l Line) look {
	c := curves[i%len(curves)].light
	k := look{line: draw.LineStyle{Color: c, Width: 1.6, Dashes: dashes(i)}, mark: draw.GlyphStyle{Color: c, Radius: 3, Shape: shape(i)}}
	if l.Guide {
		k.line = draw.LineStyle{Color: quiet.light, Width: 1, Dashes: []vg.Length{3, 3}}
	}
	k.fill = veil(c)
	return k
}

// veil is a colour that lets through what is below it.
type veil color.NRGBA

// RGBA implements color.Color. It rounds up, so that the SVG canvas, which divides by the opacity
// and rounds down, writes the very colour.
func (v veil) RGBA() (r, g, b, a uint32) {
	const opacity = 0x50
	part := func(c uint8) uint32 { return (uint32(c)*0x101*opacity + 0xfe) / 0xff }
	return part(v.R), part(v.G), part(v.B), opacity * 0x101
}
