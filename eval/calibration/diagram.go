package calibration

import (
	"fmt"

	"jem/internal/chart"
	"jem/internal/metrics"
)

// Charts are the diagrams of the result by the names of their files: the reliability diagram.
func (r Result) Charts() map[string]chart.Chart {
	title := fmt.Sprintf("%s, %s: ECE %.2f %% (%d bins, %d images)", r.Data, r.Split, 100*r.Reliability.ECE(), metrics.Bins, r.Images)
	return map[string]chart.Chart{"reliability.png": r.Diagram(title)}
}

// Diagram is the reliability diagram, accuracy against confidence, as in the paper.
func (r Result) Diagram(title string) chart.Chart {
	var accuracy, share []float64
	for _, b := range r.Reliability {
		accuracy, share = append(accuracy, b.Accuracy), append(share, float64(b.Count)/float64(r.Images))
	}
	width := 1 / float64(len(r.Reliability))
	bars, counts := chart.Bars(0, width, accuracy), chart.Bars(0, width, share)
	bars.Name, counts.Name, counts.Filled = "accuracy", "share of images", false
	return chart.Chart{
		Title: title, XLabel: "confidence max p(y|x)", YLabel: "accuracy", XMax: 1, YMax: 1,
		Lines: []chart.Line{bars, counts, {Name: "calibrated", X: []float64{0, 1}, Y: []float64{0, 1}, Guide: true}},
	}
}
