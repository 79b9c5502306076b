package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"jem/internal/data"
	"jem/internal/metrics"
	"jem/internal/picture"
	"jem/internal/rundir/durable"
	"jem/train"
)

// calibration is jem eval --task calibration.
func (p *program) calibration(c *cli.Context, s *screen, m *train.Predictor) error {
	split := c.String("split")
	on, err := p.answers(c, s, m, split)
	if err != nil {
		return err
	}
	valid, err := p.answers(c, s, m, "valid")
	if errors.Is(err, data.ErrMissing) {
		valid, err = nil, nil
	}
	if err != nil {
		return err
	}
	result, notes, err := m.Calibrate(split, on, valid)
	if err != nil {
		return err
	}
	s.notes(notes)
	if err := p.picture(c, "reliability.svg", reliability(result)); err != nil {
		return err
	}
	if c.Bool("json") {
		return p.json(result)
	}
	return p.table(calibrationRows(result)...)
}

// proper is jem eval --task nll: the proper scores alone.
func (p *program) proper(c *cli.Context, s *screen, m *train.Predictor) error {
	on, err := p.answers(c, s, m, c.String("split"))
	if err != nil {
		return err
	}
	result, _, err := m.Calibrate(c.String("split"), on, nil)
	if err != nil {
		return err
	}
	r := properScores{result.Subject, result.Split, result.Images, result.Accuracy, result.NLL, result.Brier}
	if c.Bool("json") {
		return p.json(r)
	}
	_, err = fmt.Fprintf(p.stdout, "%s NLL %.4f nats, Brier score %.4f, accuracy %.2f %% on %d images (%s, pixel noise %g)\n",
		r.Split, r.NLL, r.Brier, 100*r.Accuracy, r.Images, r.Data, r.Noise)
	return err
}

// properScores are the figures of the nll task.
type properScores struct {
	train.Subject
	Split    string  `json:"split"`
	Images   int     `json:"images"`
	Accuracy float64 `json:"accuracy"`
	NLL      float64 `json:"nll"`
	Brier    float64 `json:"brier"`
}

// answers runs a split through the network.
func (p *program) answers(c *cli.Context, s *screen, m *train.Predictor, split string) (*train.Outputs, error) {
	images, notes, err := train.OpenImages(m.Config, split)
	s.notes(notes)
	if err != nil {
		return nil, err
	}
	return outputs(s, m, split, train.Head(images, c.Int("limit")), false)
}

// outputs shows progress while images run through the network.
func outputs(s *screen, m *train.Predictor, about string, images train.Images, gradients bool) (*train.Outputs, error) {
	s.start(int64(images.Len()))
	defer s.close()
	done := int64(0)
	return m.Outputs(images, gradients, func(n int) { done += int64(n); s.set(done, about) })
}

// picture writes a chart into the folder that --pictures names, if it does.
func (p *program) picture(c *cli.Context, name string, chart picture.Chart) error {
	folder := c.String("pictures")
	if folder == "" {
		return nil
	}
	return writePicture(filepath.Join(folder, name), chart.SVGFile())
}

// writePicture writes a file and makes its folder where it isn't there.
func writePicture(path string, content []byte) error {
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
func reliability(r train.Calibration) picture.Chart {
	edges, accuracy, share := []float64{0}, []float64{}, []float64{}
	for _, b := range r.Reliability {
		edges, accuracy = append(edges, b.Hi), append(accuracy, b.Accuracy)
		share = append(share, float64(b.Count)/float64(r.Images))
	}
	ece := r.Reliability.ECE()
	return picture.Chart{
		Title:  fmt.Sprintf("%s, %s: ECE %.2f %% (%d bins, %d images)", r.Data, r.Split, 100*ece, metrics.Bins, r.Images),
		XLabel: "confidence max p(y|x)",
		Series: []picture.Series{
			{Name: "accuracy", Points: picture.Steps(edges, accuracy), Filled: true},
			{Name: "share of images", Points: picture.Steps(edges, share)},
			{Name: "perfectly calibrated", Points: []picture.Point{{X: 0, Y: 0}, {X: 1, Y: 1}}, Dashed: true},
		},
	}
}
