package picture

import "math"

// trace is a series as it is drawn: a line, and where a pixel stands for several
// points, a band from the smallest to the largest of them around their mean.
type trace struct {
	x, y   float64 // pixels
	lo, hi float64 // pixels of the band; equal to y without one
}

// traces turns points into lines of pixels. A point that the axes cannot show, NaN
// above all, ends a line: a gap in the data is a gap in the picture.
func traces(points []Point, x, y axis) (lines [][]trace) {
	columns := math.Abs(x.to - x.from)
	dense := float64(len(points)) > 2*columns
	var line []trace
	var column bucket
	flush := func() {
		if column.n > 0 {
			line = append(line, column.trace())
		}
		column = bucket{}
	}
	for _, p := range points {
		px, py := x.pixel(p.X), y.pixel(p.Y)
		if math.IsNaN(px) || math.IsNaN(py) {
			flush()
			if len(line) > 0 {
				lines, line = append(lines, line), nil
			}
			continue
		}
		if !dense || math.Floor(px) != column.x {
			flush()
		}
		column.add(px, py)
	}
	flush()
	if len(line) > 0 {
		lines = append(lines, line)
	}
	return lines
}

// bucket gathers the points of one column of pixels.
type bucket struct {
	n          float64
	x          float64 // the column
	sumX, sumY float64
	lo, hi     float64
}

func (b *bucket) add(px, py float64) {
	if b.n == 0 {
		b.x, b.lo, b.hi = math.Floor(px), py, py
	}
	b.n++
	b.sumX, b.sumY = b.sumX+px, b.sumY+py
	b.lo, b.hi = min(b.lo, py), max(b.hi, py)
}

func (b *bucket) trace() trace { return trace{b.sumX / b.n, b.sumY / b.n, b.lo, b.hi} }
