package calibration

import (
	"math"
	"slices"
	"testing"

	"jem/internal/metrics"
)

func TestReliabilityDiagram(t *testing.T) {
	c := Result{Images: 4, Reliability: metrics.Reliability{{Hi: 0.5, Accuracy: 0.25, Count: 1}, {Lo: 0.5, Hi: 1, Accuracy: 0.75, Count: 3}}}
	lines := c.Diagram("t").Lines
	if want := []float64{0, 0.25, 0.25, 0.75, 0.75, 0}; !slices.Equal(lines[0].Y, want) || !slices.Equal(lines[1].Y, want) {
		t.Errorf("accuracy %v, share %v, want %v", lines[0].Y, lines[1].Y, want)
	}
	if want := []float64{0, 0, 0.5, 0.5, 1, 1}; !slices.Equal(lines[0].X, want) {
		t.Errorf("bars at %v, want %v", lines[0].X, want)
	}
}

func TestShownScores(t *testing.T) {
	if got := ShownScores("px", []float64{-3}); got[0] != -3 {
		t.Errorf("log p(x) became %v", got)
	}
	got := ShownScores("pxgrad", []float64{-1, -math.E, 0})
	// The float nearest e has the logarithm 1 to 2⁻⁵³; math.Log is exact to an ulp.
	if got[0] != 0 || math.Abs(got[1]+1) > 1e-15 || math.IsInf(got[2], 0) || got[2] < 100 {
		t.Errorf("got %v", got)
	}
}
