package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"jem/eval/chains"
	"jem/feed"
	"jem/internal/metrics"
	"jem/predict"
)

// evalChains is jem eval --task chains.
func evalChains(c *cli.Context, s *screen, m *predict.Predictor) error {
	fresh, err := freshChains(c, false)
	if err != nil {
		return err
	}
	o := chains.Options{N: number(c, "count", 20), Steps: number(c, "steps", 1000), Every: c.Int("every"), Fresh: fresh, Seed: c.Uint64("seed")}
	switch {
	case o.N < 1 || o.N > feed.EvalBatch:
		return usagef(c, "--count %d: want 1 to %d chains", o.N, feed.EvalBatch)
	case o.Every < 1:
		return usagef(c, "--every %d: want at least 1", o.Every)
	case o.Steps < 16*o.Every:
		return usagef(c, "--steps %d: want at least %d, for 16 records of each chain every %d steps", o.Steps, 16*o.Every, o.Every)
	}
	r, err := chains.Measure(c.Context, m, o, s.follow())
	if err != nil {
		return err
	}
	drawn := writeCharts(c.String("pictures"), r.Charts())
	rows := []string{
		fmt.Sprintf("%d chains of %d SGLD steps, step size %g, noise %g", r.N, r.Steps, r.StepSize, r.SGLDStd),
		"STEP\tLOG P(X)\tLEAST\tMOST\tSTEP NORM\tDISTANCE FROM THE START",
	}
	for i, at := range r.Records {
		if shown := (len(r.Records) + 9) / 10; (i+1)%shown == 0 || i == len(r.Records)-1 {
			rows = append(rows, fmt.Sprintf("%d\t%.3f\t%.3f\t%.3f\t%.4f\t%.3f", at.Step, mean(at.LogPx), slices.Min(at.LogPx), slices.Max(at.LogPx), mean(at.StepNorm), mean(at.Distance)))
		}
	}
	rows = append(rows, "", fmt.Sprintf("second half, %d records of each chain (R-hat up to 1.01: they have come to one distribution):", r.LogPx.N/r.N), "SCALAR\tR-HAT\tEFFECTIVE SAMPLE SIZE",
		fmt.Sprintf("log p(x)\t%.3f\t%.1f of %d", r.LogPx.RHat, r.LogPx.ESS, r.LogPx.N),
		fmt.Sprintf("step norm\t%.3f\t%.1f of %d", r.Moves.RHat, r.Moves.ESS, r.Moves.N))
	return errors.Join(drawn, printResult(c, r, rows))
}

func mean(values []float64) float64 {
	m, _ := metrics.Spread(values)
	return m
}
