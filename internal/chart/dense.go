package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// columns is how many points a diagram shows beside each other: about one a point of its width.
const columns = 320

// piece is a part of a curve without a gap.
type piece []column

// column is a point of a curve, or the mean of several and their range.
type column struct{ x, y, lo, hi float64 }

// drawable reports whether a number has a place on an axis; the bound keeps differences finite.
func drawable(v float64) bool { return math.Abs(v) <= 1e300 }

// pieces cuts a curve at the points that can't be drawn. Of a curve with too many points, those
// that fall into one column of the range from lo to hi become one.
func (l Line) pieces(lo, hi float64) (all []piece) {
	dense := len(l.X) > 2*columns && !l.Filled
	var part piece
	at, n := 0, 0.0 // the column that is being filled, and the points in it
	end := func() {
		if len(part) > 0 {
			all, part = append(all, part), nil
		}
		n = 0
	}
	for i, x := range l.X {
		y := l.Y[i]
		if !drawable(x) || !drawable(y) {
			end()
			continue
		}
		if to := int((x - lo) / (hi - lo) * columns); !dense || n == 0 || to != at {
			part, at, n = append(part, column{x, y, y, y}), to, 1
			continue
		}
		n++
		c := &part[len(part)-1]
		c.x, c.y, c.lo, c.hi = c.x+(x-c.x)/n, c.y+(y-c.y)/n, min(c.lo, y), max(c.hi, y)
	}
	end()
	return all
}

func (p piece) line() (points plotter.XYs) {
	for _, c := range p {
		points = append(points, plotter.XY{X: c.x, Y: c.y})
	}
	return points
}

// band goes along the upper edge and back along the lower one; nil if there is nothing between
// them.
func (p piece) band() (outline plotter.XYs) {
	thick := false
	for _, c := range p {
		thick = thick || c.hi > c.lo
		outline = append(outline, plotter.XY{X: c.x, Y: c.hi})
	}
	if !thick {
		return nil
	}
	for _, c := range slices.Backward(p) {
		outline = append(outline, plotter.XY{X: c.x, Y: c.lo})
	}
	return outline
}
