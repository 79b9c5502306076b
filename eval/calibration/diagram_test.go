package calibration

import (
	"slices"
	"testing"

	"jem/internal/metrics"
)

func TestReliabilityDiagram(t *testing.T) {
	c := Result{ProperScores: ProperScores{Images: 4}, Reliability: metrics.Reliability{{Hi: 0.5, Accuracy: 0.25, Count: 1}, {Lo: 0.5, Hi: 1, Accuracy: 0.75, Count: 3}}}
	lines := c.Diagram("t").Lines
	if want := []float64{0, 0.25, 0.25, 0.75, 0.75, 0}; !slices.Equal(lines[0].Y, want) || !slices.Equal(lines[1].Y, want) {
		t.Errorf("accuracy %v, share %v, want %v", lines[0].Y, lines[1].Y, want)
	}
	if want := []float64{0, 0, 0.5, 0.5, 1, 1}; !slices.Equal(lines[0].X, want) {
		t.Errorf("bars at %v, want %v", lines[0].X, want)
	}
}
