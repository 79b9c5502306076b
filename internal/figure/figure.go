// Package figure draws simple figures into small images: what images are made of that the
// program makes itself, to be tried without any file.
//
// It knows neither sets of images nor files.
package figure

import "math"

// Figure is a region of the plane, turned and moved.
type Figure struct {
	Inside func(x, y float64) bool // the region around the origin, in pixels
	X, Y   float64                 // where its origin lies, in pixels; (0,0) is the centre of the first pixel
	Angle  float64                 // by which it is turned, in radians
}

// Covers reports whether a point of the image lies in the figure. Products are rounded by
// themselves, on machines that could fuse them with sums, too.
func (f Figure) Covers(x, y float64) bool {
	sin, cos := math.Sincos(f.Angle)
	dx, dy := x-f.X, y-f.Y
	return f.Inside(float64(cos*dx)+float64(sin*dy), float64(cos*dy)-float64(sin*dx))
}

// fine is the number of points, a side, at which a pixel is looked at.
const fine = 4

// Share is how much of a pixel the figure covers, in [0,1].
func (f Figure) Share(x, y int) float64 {
	n := 0
	for i := range fine * fine {
		if f.Covers(float64(x)+(float64(i%fine)+0.5)/fine-0.5, float64(y)+(float64(i/fine)+0.5)/fine-0.5) {
			n++
		}
	}
	return float64(n) / (fine * fine)
}

// Box is a rectangle around the origin with half the sides a and b, its border excluded.
func Box(a, b float64) func(x, y float64) bool {
	return func(x, y float64) bool { return math.Abs(x) < a && math.Abs(y) < b }
}

// Disc is a disc around the origin.
func Disc(radius float64) func(x, y float64) bool {
	return func(x, y float64) bool { return math.Hypot(x, y) < radius }
}

// Without is what lies in a but not in b.
func Without(a, b func(x, y float64) bool) func(x, y float64) bool {
	return func(x, y float64) bool { return a(x, y) && !b(x, y) }
}

// Either is what lies in a or b.
func Either(a, b func(x, y float64) bool) func(x, y float64) bool {
	return func(x, y float64) bool { return a(x, y) || b(x, y) }
}
