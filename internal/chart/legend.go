package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// key is a legend whose entries stand beside each other in as many rows as they need.
type key []plot.Legend

// add adds a curve; one without a name has no entry.
func (k *key) add(l Line, look look) {
	if l.Name == "" {
		return
	}
	entry := plot.NewLegend()
	entry.Left, entry.ThumbnailWidth = true, 0.4*vg.Inch
	font(&entry.TextStyle, 10)
	line := &plotter.Line{LineStyle: look.line}
	thumbs := []plot.Thumbnailer{line}
	if l.Filled {
		line.FillColor = look.fill
	}
	if l.marked() {
		thumbs = append(thumbs, &plotter.Scatter{GlyphStyle: look.mark})
	}
	entry.Add(l.Name, thumbs...)
	*k = append(*k, entry)
}

// draw draws the legend at the bottom of an area and returns its height.
func (k key) draw(area draw.Canvas) vg.Length {
	const apart, leading = 14, 3 // between entries, between rows
	var x, y, row vg.Length
	for i := range k {
		size := k[i].Rectangle(area).Size()
		if x > 0 && x+size.X > area.Size().X {
			x, y = 0, y+row
		}
		k[i].XOffs, k[i].YOffs = x, y
		x, row = x+size.X+apart, size.Y+leading
	}
	for _, entry := range k {
		entry.YOffs = y - entry.YOffs // rows were counted from the top
		entry.Draw(area)
	}
	if len(k) == 0 {
		return 0
	}
	return y + row + border
}
