package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"jem/eval/calibration"
	"jem/feed"
	"jem/internal/chart"
	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/predict"
)

// calibration is jem eval --task calibration.
func (p *program) calibration(c *cli.Context, s *screen, m *predict.Predictor) error {
	split := c.String("split")
	on, err := answers(c, s, m, split)
	if err != nil {
		return err
	}
	valid, err := answers(c, s, m, "valid")
	if errors.Is(err, fault.Missing) {
		valid, err = nil, nil
	}
	if err != nil {
		return err
	}
	result, notes, err := calibration.Calibrate(m, split, pixelNoise(c, m), on, valid)
	if err != nil {
		return err
	}
	s.notes(notes)
	if err := draw(c, "reliability.png", reliability(result)); err != nil {
		return err
	}
	return p.result(c, result, calibrationRows(result))
}

// proper is jem eval --task nll: the proper scores alone.
func (p *program) proper(c *cli.Context, s *screen, m *predict.Predictor) error {
	on, err := answers(c, s, m, c.String("split"))
	if err != nil {
		return err
	}
	result, _, err := calibration.Calibrate(m, c.String("split"), pixelNoise(c, m), on, nil)
	if err != nil {
		return err
	}
	r := properScores{result.Subject, result.Protocol, result.Split, result.Images, result.Accuracy, result.NLL, result.Brier}
	r.Text = "proper scores of the softmax probabilities"
	return p.result(c, r, []string{fmt.Sprintf("%s NLL %.4f nats, Brier score %.4f, accuracy %.2f %% on %d images (%s, pixel noise %g)",
		r.Split, r.NLL, r.Brier, 100*r.Accuracy, r.Images, r.Data, r.Noise)})
}

// properScores are the figures of the nll task.
type properScores struct {
	predict.Subject
	predict.Protocol
	Split    string  `json:"split"`
	Images   int     `json:"images"`
	Accuracy float64 `json:"accuracy"`
	NLL      float64 `json:"nll"`
	Brier    float64 `json:"brier"`
}

// answers runs a split through the network.
func answers(c *cli.Context, s *screen, m *predict.Predictor, split string) (*predict.Outputs, error) {
	images, notes, err := feed.OpenImages(m.Config, split, pixelNoise(c, m))
	s.notes(notes)
	if err != nil {
		return nil, err
	}
	return m.Gather(c.Context, split, feed.Head(images, c.Int("limit")), predict.Want{}, s.follow())
}

// draw draws a diagram into the folder that --pictures names, if it does.
func draw(c *cli.Context, name string, diagram chart.Chart) error {
	folder := c.String("pictures")
	if folder == "" {
		return nil
	}
	png, err := diagram.PNG()
	if err != nil {
		return err
	}
	return writeInto(filepath.Join(folder, name), png)
}

// writeInto writes a file and makes its folder where it isn't there.
func writeInto(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return durable.WriteFile(path, content)
}

func calibrationRows(r calibration.Result) []string {
	rows := []string{
		fmt.Sprintf("%s, %s split, %d images, pixel noise %g, bins (lo,hi]", r.Data, r.Split, r.Images, r.Noise),
		fmt.Sprintf("accuracy %.2f %%, NLL %.4f nats, Brier score %.4f", 100*r.Accuracy, r.NLL, r.Brier),
		"BINS\tECE\tMCE\tADAPTIVE ECE",
	}
	rows = append(rows, binRows(r.Bins)...)
	if t := r.Scaled; t != nil {
		rows = append(rows, fmt.Sprintf("at temperature %.4f, fitted on %d %s images: NLL %.4f nats, Brier score %.4f", t.T, t.FitImages, t.FittedOn, t.NLL, t.Brier))
		rows = append(rows, binRows(t.Bins)...)
	}
	return rows
}

func binRows(bins []calibration.BinErrors) (rows []string) {
	for _, b := range bins {
		rows = append(rows, fmt.Sprintf("%d\t%.2f %%\t%.2f %%\t%.2f %%", b.Bins, 100*b.ECE, 100*b.MCE, 100*b.Adaptive))
	}
	return rows
}

// reliability is the diagram of accuracy against confidence, as in the paper.
func reliability(r calibration.Result) chart.Chart {
	return r.Diagram(fmt.Sprintf("%s, %s: ECE %.2f %% (%d bins, %d images)", r.Data, r.Split, 100*r.Reliability.ECE(), metrics.Bins, r.Images))
}
