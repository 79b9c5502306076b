package figure

import (
	"math"
	"testing"
)

func TestSharesAddUpToTheArea(t *testing.T) {
	for _, tc := range []struct {
		name string
		f    func(x, y float64) bool
		area float64
	}{
		{"box", Box(5, 2), 40},
		{"disc", Disc(5), math.Pi * 25},
		{"ring", Without(Disc(5), Disc(3)), math.Pi * 16},
		{"cross", Either(Box(5, 1), Box(1, 5)), 36},
	} {
		for _, angle := range []float64{0, 0.3} {
			f, sum := Figure{Inside: tc.f, X: 9.3, Y: 10.1, Angle: angle}, 0.0
			for p := range 20 * 20 {
				sum += f.Share(p%20, p/20)
			}
			// A border of some 60 quarters of a pixel, each off by half of that one by chance.
			if math.Abs(sum-tc.area) > 2 {
				t.Errorf("%s turned by %g covers %.2f pixels, want %.2f", tc.name, angle, sum, tc.area)
			}
		}
	}
}

func TestTurnsFromXTowardsY(t *testing.T) {
	f := Figure{Inside: Box(5, 1), X: 10, Y: 10, Angle: math.Pi / 2}
	if !f.Covers(10, 14) || f.Covers(14, 10) {
		t.Error("a bar that is turned by a right angle doesn't stand")
	}
}
