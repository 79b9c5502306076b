package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"jem/eval/chains"
	"jem/feed"
	"jem/internal/chart"
	"jem/predict"
)

// chains is jem eval --task chains.
func (p *program) chains(c *cli.Context, s *screen, m *predict.Predictor) error {
	o := chains.Options{N: c.Int("n"), Steps: c.Int("steps"), Every: c.Int("every"), Fresh: c.Bool("fresh"), Seed: c.Uint64("seed")}
	if o.N < 1 || o.N > feed.EvalBatch || o.Every < 1 || o.Steps < 16*o.Every {
		return usagef(c, "--n %d, --steps %d, --every %d: want 1 to %d chains and 16 records of each", o.N, o.Steps, o.Every, feed.EvalBatch)
	}
	bar := s.follow()
	r, err := chains.Measure(c.Context, m, o, func(steps int) { bar("SGLD steps", steps, o.Steps) })
	if err != nil {
		return err
	}
	for name, diagram := range chainDiagrams(r) {
		if err := draw(c, name, diagram); err != nil {
			return err
		}
	}
	rows := []string{
		fmt.Sprintf("%d chains of %d SGLD steps, step size %g, noise %g", r.N, r.Steps, r.StepSize, r.SGLDStd),
		"STEP\tLOG P(X)\tLEAST\tMOST\tSTEP NORM\tDISTANCE FROM THE START",
	}
	for i, at := range r.Records {
		if shown := (len(r.Records) + 9) / 10; (i+1)%shown == 0 || i == len(r.Records)-1 {
			rows = append(rows, fmt.Sprintf("%d\t%.3f\t%.3f\t%.3f\t%.4f\t%.3f", at.Step, mean(at.LogPx), slices.Min(at.LogPx), slices.Max(at.LogPx), mean(at.StepNorm), mean(at.Distance)))
		}
	}
	rows = append(rows, "", fmt.Sprintf("second half, %d records of each chain:", r.LogPx.N/r.N), "SCALAR\tR-HAT\tEFFECTIVE SAMPLE SIZE",
		fmt.Sprintf("log p(x)\t%.3f\t%.1f of %d", r.LogPx.RHat, r.LogPx.ESS, r.LogPx.N),
		fmt.Sprintf("step norm\t%.3f\t%.1f of %d", r.Moves.RHat, r.Moves.ESS, r.Moves.N))
	return p.result(c, r, rows)
}

func mean(values []float64) (m float64) {
	for _, v := range values {
		m += v / float64(len(values))
	}
	return m
}

// chainDiagrams are log p(x) and the step norm along the chains, by file name.
func chainDiagrams(r chains.Result) map[string]chart.Chart {
	return map[string]chart.Chart{
		"chains-log-px.png": along(r, fmt.Sprintf("%d chains: R-hat %.3f, effective sample size %.0f", r.N, r.LogPx.RHat, r.LogPx.ESS), "log p(x) + log Z",
			func(at chains.Record) []float64 { return at.LogPx }),
		"chains-step-norm.png": along(r, fmt.Sprintf("%d chains, step size %g, noise %g", r.N, r.StepSize, r.SGLDStd), "length of a step, pixels in [−1,1]",
			func(at chains.Record) []float64 { return at.StepNorm }),
	}
}

// along draws the chains' mean, least and largest number, and each of the first few chains.
func along(r chains.Result, title, label string, of func(chains.Record) []float64) chart.Chart {
	const few = 8
	d := chart.Chart{Title: title, XLabel: "SGLD steps", YLabel: label, Lines: []chart.Line{{Name: "mean"}, {Name: "least"}, {Name: "largest"}}}
	for i := range min(few, r.N) {
		d.Lines = append(d.Lines, chart.Line{Guide: true})
		if i == 0 {
			d.Lines[3].Name = fmt.Sprintf("%d of the chains", min(few, r.N))
		}
	}
	for _, at := range r.Records {
		values := of(at)
		for i, v := range append([]float64{mean(values), slices.Min(values), slices.Max(values)}, values[:min(few, r.N)]...) {
			d.Lines[i].Add(float64(at.Step), v)
		}
	}
	return d
}
