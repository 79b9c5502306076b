package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"jem/eval/calibration"
	"jem/internal/metrics"
	"jem/predict"
)

// evalCalibration is jem eval --task calibration.
func evalCalibration(c *cli.Context, s *screen, m *predict.Predictor) error {
	o := calibration.Options{Split: c.String("split"), Limit: c.Int("limit"), Noise: pixelNoise(c, m), Edge: metrics.Edge(c.String("on-edge"))}
	if o.Edge != metrics.Below && o.Edge != metrics.Above {
		return usagef(c, "--on-edge %q: want %s or %s", o.Edge, metrics.Below, metrics.Above)
	}
	r, err := calibration.Measure(c.Context, m, o, s.follow())
	s.notes(r.Notes)
	if err != nil {
		return err
	}
	drawn := writeCharts(c.String("pictures"), r.Charts())
	return errors.Join(drawn, printResult(c, r, calibrationRows(r)))
}

// evalProper is jem eval --task nll: the proper scores alone.
func evalProper(c *cli.Context, s *screen, m *predict.Predictor) error {
	o := calibration.Options{Split: c.String("split"), Limit: c.Int("limit"), Noise: pixelNoise(c, m), NoTemperature: true}
	measured, err := calibration.Measure(c.Context, m, o, s.follow())
	s.notes(measured.Notes)
	if err != nil {
		return err
	}
	r := measured.Proper()
	return printResult(c, r, []string{fmt.Sprintf("%s NLL %.4f nats, Brier score %.4f, accuracy %.2f %%, mean confidence %.2f %% on %d images (%s, pixel noise %g)",
		r.Split, r.NLL, r.Brier, 100*r.Accuracy, 100*r.Confidence, r.Images, r.Data, r.Noise)})
}

func calibrationRows(r calibration.Result) []string {
	rows := []string{
		fmt.Sprintf("%s, %s split, %d images, pixel noise %g, bins %s", r.Data, r.Split, r.Images, r.Noise, r.Edge.Interval()),
		fmt.Sprintf("accuracy %.2f %%, mean confidence %.2f %%, NLL %.4f nats, Brier score %.4f", 100*r.Accuracy, 100*r.Confidence, r.NLL, r.Brier),
	}
	rows = append(rows, binRows(r.Bins)...)
	if t := r.Scaled; t != nil {
		rows = append(rows, "", fmt.Sprintf("at temperature %.4f, fitted on %d %s images: mean confidence %.2f %%, NLL %.4f nats, Brier score %.4f", t.T, t.FitImages, t.FittedOn, 100*t.Confidence, t.NLL, t.Brier))
		rows = append(rows, binRows(t.Bins)...)
	}
	return rows
}

func binRows(bins []calibration.BinErrors) []string {
	rows := []string{"BINS\tECE\tMCE\tADAPTIVE ECE"}
	for _, b := range bins {
		rows = append(rows, fmt.Sprintf("%d\t%.2f %%\t%.2f %%\t%.2f %%", b.Bins, 100*b.ECE, 100*b.MCE, 100*b.Adaptive))
	}
	return rows
}
