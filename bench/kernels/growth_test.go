package kernels

import (
	"math"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(1, math.Abs(b)) } // roundings of sums of four float64

func TestFitFindsALine(t *testing.T) {
	g := Fit([]Point{{8, 0.5 + 8*0.25}, {16, 0.5 + 16*0.25}, {64, 0.5 + 64*0.25}, {128, 0.5 + 128*0.25}})
	if !near(g.Fixed, 0.5) || !near(g.Slope, 0.25) || !near(g.Deviation, 0) || !near(g.SlopeLow, 1) || !near(g.SlopeHigh, 1) {
		t.Errorf("%+v", g)
	}
}

// With three points 1, 2, 3 of times 1, 1, 2 the relative squares are least for the line
// that solves Σ(1−(a+bx)/t)/t = 0 and Σ(1−(a+bx)/t)·x/t = 0: by hand, weights 1, 1, ¼ give
// Σw = 2.25, Σwx = 3.75, Σwt = 2.5, Σwx² = 7.25, Σwxt = 4.5, so b = (2.25·4.5 − 3.75·2.5) /
// (2.25·7.25 − 3.75²) = 0.75/2.25 = 1/3 and a = (2.5 − 1.25)/2.25 = 5/9. The line gives 8/9,
// 11/9 and 14/9: the last point is 2/(14/9) = 9/7 of it. Slopes are 0 and 1, thrice 1/3.
func TestFitByHand(t *testing.T) {
	g := Fit([]Point{{1, 1}, {2, 1}, {3, 2}})
	if !near(g.Slope, 1.0/3) || !near(g.Fixed, 5.0/9) || !near(g.Deviation, 2.0/7) || !near(g.SlopeLow, 0) || !near(g.SlopeHigh, 3) {
		t.Errorf("%+v", g)
	}
}
