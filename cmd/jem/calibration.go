package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"jem/internal/data"
	"jem/internal/figure"
	"jem/internal/metrics"
	"jem/internal/rundir/durable"
	"jem/train"
)

// calibration is jem eval --task calibration.
func (p *program) calibration(c *cli.Context, s *screen, m *train.Predictor) error {
	split := c.String("split")
	on, err := answers(c, s, m, split)
	if err != nil {
		return err
	}
	valid, err := answers(c, s, m, "valid")
	if errors.Is(err, data.ErrMissing) {
		valid, err = nil, nil
	}
	if err != nil {
		return err
	}
	result, notes, err := train.Calibrate(m, split, on, valid)
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
func (p *program) proper(c *cli.Context, s *screen, m *train.Predictor) error {
	on, err := answers(c, s, m, c.String("split"))
	if err != nil {
		return err
	}
	result, _, err := train.Calibrate(m, c.String("split"), on, nil)
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
	train.Subject
	train.Protocol
	Split    string  `json:"split"`
	Images   int     `json:"images"`
	Accuracy float64 `json:"accuracy"`
	NLL      float64 `json:"nll"`
	Brier    float64 `json:"brier"`
}

// answers runs a split through the network.
func answers(c *cli.Context, s *screen, m *train.Predictor, split string) (*train.Outputs, error) {
	images, notes, err := train.OpenImages(m.Config, split)
	s.notes(notes)
	if err != nil {
		return nil, err
	}
	images = train.Head(images, c.Int("limit"))
	return m.Gather(c.Context, images, train.Want{}, s.counted(split, images.Len()))
}

// draw draws a diagram into the folder that --pictures names, if it does.
func draw(c *cli.Context, name string, diagram figure.Chart) error {
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

func calibrationRows(r train.Calibration) []string {
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

func binRows(bins []train.BinErrors) (rows []string) {
	for _, b := range bins {
		rows = append(rows, fmt.Sprintf("%d\t%.2f %%\t%.2f %%\t%.2f %%", b.Bins, 100*b.ECE, 100*b.MCE, 100*b.Adaptive))
	}
	return rows
}

// reliability is the diagram of accuracy against confidence, as in the paper.
func reliability(r train.Calibration) figure.Chart {
	return r.Diagram(fmt.Sprintf("%s, %s: ECE %.2f %% (%d bins, %d images)", r.Data, r.Split, 100*r.Reliability.ECE(), metrics.Bins, r.Images))
}
