package kernels

import "math"

// Point is a time that was measured at a size.
type Point struct {
	Size    float64 `json:"size"`
	Seconds float64 `json:"seconds"`
}

// Growth is how a time grows with a size: the line t = Fixed + Slope·size that is nearest by
// relative squares, and how far the points are from it.
type Growth struct {
	Points    []Point `json:"points"`
	Fixed     float64 `json:"fixed_seconds"`
	Slope     float64 `json:"slope_seconds"` // a unit of size
	Deviation float64 `json:"deviation"`     // the largest |t/line − 1|
	// SlopeLow and SlopeHigh are the least and the greatest slope between neighbours,
	// relative to Slope: 1 and 1 on a line.
	SlopeLow  float64 `json:"slope_low"`
	SlopeHigh float64 `json:"slope_high"`
}

// Fit lays a line through at least two points of different size, in the order of size, with
// times above 0.
func Fit(points []Point) Growth {
	g := Growth{Points: points, SlopeLow: math.Inf(1), SlopeHigh: math.Inf(-1)}
	var w, wx, wy, wxx, wxy float64
	for _, p := range points { // relative errors: each square weighs 1/t²
		q := 1 / (p.Seconds * p.Seconds)
		w, wx, wy = w+q, wx+q*p.Size, wy+q*p.Seconds
		wxx, wxy = wxx+q*p.Size*p.Size, wxy+q*p.Size*p.Seconds
	}
	g.Slope = (w*wxy - wx*wy) / (w*wxx - wx*wx)
	g.Fixed = (wy - g.Slope*wx) / w
	for i, p := range points {
		g.Deviation = max(g.Deviation, math.Abs(p.Seconds/(g.Fixed+g.Slope*p.Size)-1))
		if i > 0 {
			slope := (p.Seconds - points[i-1].Seconds) / (p.Size - points[i-1].Size) / g.Slope
			g.SlopeLow, g.SlopeHigh = min(g.SlopeLow, slope), max(g.SlopeHigh, slope)
		}
	}
	return g
}
