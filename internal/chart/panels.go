package chart

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Panels are diagrams of the same curves, two beside each other, under one title and above one legend.
// Curve number i looks the same in each; a diagram that lacks it has an empty Line in its place.
type Panels struct {
	Title  string
	Charts []Chart
}

// The size of a panel, and of the title above them, in points.
const (
	panelWidth, panelHeight = 4.6 * vg.Inch, 2.9 * vg.Inch
	headHeight, footHeight  = 26, 30
)

// size is that of the whole picture.
func (p Panels) size() (w, h vg.Length) {
	return panelWidth * vg.Length(min(2, len(p.Charts))), headHeight + panelHeight*vg.Length(p.rows()) + footHeight
}

func (p Panels) rows() int { return (len(p.Charts) + 1) / 2 }

// PNG draws the panels as a file, 1840 pixels wide where there are two or more, on white.
func (p Panels) PNG() ([]byte, error) {
	w, h := p.size()
	return asPNG(w, h, p.plain().draw)
}

// SVG draws the panels as a file, on white.
func (p Panels) SVG() ([]byte, error) {
	w, h := p.size()
	return asSVG(w, h, p.draw)
}

// plain is the panels with the letters of the font, see Chart.plain.
func (p Panels) plain() Panels {
	q := Panels{Title: Chart{Title: p.Title}.plain().Title}
	for _, c := range p.Charts {
		q.Charts = append(q.Charts, c.plain())
	}
	return q
}

func (p Panels) draw(on vg.CanvasSizer) error {
	area := draw.Crop(draw.New(on), border, -border, border, -border)
	style := plot.New().Title.TextStyle
	font(&style, 14)
	style.XAlign, style.YAlign = draw.XCenter, draw.YTop
	area.FillText(style, vg.Point{X: area.Center().X, Y: area.Max.Y}, p.Title)
	tiles := draw.Crop(area, 0, 0, p.legend().draw(area), -headHeight)
	columns := vg.Length(min(2, len(p.Charts)))
	w, h := tiles.Size().X/columns, tiles.Size().Y/vg.Length(p.rows())
	for i, c := range p.Charts {
		diagram, err := c.plot()
		if err != nil {
			return err
		}
		left, top := w*vg.Length(i%2), h*vg.Length(i/2)
		diagram.Draw(draw.Crop(tiles, left+border, left+w-tiles.Size().X-border, tiles.Size().Y-top-h+border, -top-border))
	}
	return nil
}

// legend has an entry for each curve that any of the panels has.
func (p Panels) legend() (k key) {
	for i := 0; ; i++ {
		more := false
		var curve Line
		for _, c := range p.Charts {
			if i < len(c.Lines) {
				more = true
				if len(c.Lines[i].X) > 0 {
					curve = c.Lines[i]
				}
			}
		}
		if !more {
			return k
		}
		k.add(curve, lookOf(i, curve))
	}
}
