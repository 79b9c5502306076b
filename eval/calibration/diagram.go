package calibration

import (
	"math"

	"jem/internal/chart"
)

// Diagram is the reliability diagram, accuracy against confidence, as in the paper.
func (c Result) Diagram(title string) chart.Chart {
	var accuracy, share []float64
	for _, b := range c.Reliability {
		accuracy, share = append(accuracy, b.Accuracy), append(share, float64(b.Count)/float64(c.Images))
	}
	width := 1 / float64(len(c.Reliability))
	bars, counts := chart.Bars(0, width, accuracy), chart.Bars(0, width, share)
	bars.Name, counts.Name, counts.Filled = "accuracy", "share of images", false
	return chart.Chart{
		Title: title, XLabel: "confidence max p(y|x)", YLabel: "accuracy", XMax: 1, YMax: 1,
		Lines: []chart.Line{bars, counts, {Name: "calibrated", X: []float64{0, 1}, Y: []float64{0, 1}, Guide: true}},
	}
}

// ShownScores are scores as histograms show them: −‖g‖ and squared distances as −log, as
// published, which leaves their order. Exactly 0 is shown as the least positive float32.
func ShownScores(score string, values []float64) []float64 {
	if score != "pxgrad" && score != "mahalanobis" {
		return values
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = -math.Log(max(-v, math.SmallestNonzeroFloat32))
	}
	return out
}
