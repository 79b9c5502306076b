package chart

import (
	"slices"
	"strings"

	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot"
)

// plain is the diagram with texts of letters that the library's font has: a browser takes others
// from elsewhere, in a PNG they would be missing.
func (c Chart) plain() Chart {
	p := plot.New()
	font(&p.Title.TextStyle, 10)
	face := p.TextHandler.Cache().Lookup(p.Title.TextStyle.Font, 10).Face
	var b sfnt.Buffer
	known := func(r rune) rune {
		if i, err := face.GlyphIndex(&b, r); err == nil && i != 0 {
			return r
		}
		return '?'
	}
	text := func(s string) string {
		return strings.Map(known, strings.NewReplacer("⁺", "+", "⁻", "−").Replace(s))
	}
	c.Title, c.XLabel, c.YLabel, c.Lines = text(c.Title), text(c.XLabel), text(c.YLabel), slices.Clone(c.Lines)
	for i := range c.Lines {
		c.Lines[i].Name = text(c.Lines[i].Name)
	}
	c.XTicks = slices.Clone(c.XTicks)
	for i := range c.XTicks {
		c.XTicks[i].Label = text(c.XTicks[i].Label)
	}
	return c
}
