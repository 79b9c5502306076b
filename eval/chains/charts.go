package chains

import (
	"fmt"
	"slices"

	"jem/internal/chart"
	"jem/internal/metrics"
)

// Charts are log p(x) and the length of SGLD steps along the chains, by file name.
func (r Result) Charts() map[string]chart.Chart {
	return map[string]chart.Chart{
		"chains-log-px.png": r.along(fmt.Sprintf("%d chains: R-hat %.3f, effective sample size %.0f", r.N, r.LogPx.RHat, r.LogPx.ESS), "log p(x) + log Z",
			func(at Record) []float64 { return at.LogPx }),
		"chains-step-norm.png": r.along(fmt.Sprintf("%d chains, step size %g, noise %g", r.N, r.StepSize, r.SGLDStd), "length of a step, pixels in [−1,1]",
			func(at Record) []float64 { return at.StepNorm }),
	}
}

// along draws the chains' mean, least and largest number, and each of the first few chains.
func (r Result) along(title, label string, of func(Record) []float64) chart.Chart {
	const few = 8
	c := chart.Chart{Title: title, XLabel: "SGLD steps", YLabel: label, Lines: []chart.Line{{Name: "mean"}, {Name: "least"}, {Name: "largest"}}}
	for i := range min(few, r.N) {
		c.Lines = append(c.Lines, chart.Line{Guide: true})
		if i == 0 {
			c.Lines[3].Name = fmt.Sprintf("%d of the chains", min(few, r.N))
		}
	}
	for _, at := range r.Records {
		values := of(at)
		mean, _ := metrics.Spread(values)
		for i, v := range append([]float64{mean, slices.Min(values), slices.Max(values)}, values[:min(few, r.N)]...) {
			c.Lines[i].Add(float64(at.Step), v)
		}
	}
	return c
}
