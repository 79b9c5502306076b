package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/eval/quality"
	"jem/predict"
)

// evalSamples is jem eval --task samples.
func evalSamples(c *cli.Context, s *screen, m *predict.Predictor) error {
	o, err := qualityOptions(c, m)
	if err != nil {
		return err
	}
	judges, err := openJudges(c, s, m)
	if err != nil {
		return err
	}
	defer judges.close()
	o.Networks, o.NoInception = judges.networks, judges.missing
	o.Tell = func(text string) { s.notes([]string{text}) }
	result, err := quality.Measure(c.Context, m, o, s.stages())
	s.close()
	s.notes(result.Notes)
	if err != nil {
		return err
	}
	drawn := writePictures(c.String("pictures"), result.Pictures)
	return errors.Join(drawn, printResult(c, result, qualityRows(result)))
}

// stages shows the progress of quality.Measure.
func (s *screen) stages() predict.Watch {
	current := ""
	return func(stage string, done, total int) {
		switch {
		case stage == "distance" && done == 0:
			s.close()
			s.log.Info("computes the Fréchet distance: eigenvalues of 2048×2048 numbers, some half a minute")
			return
		case stage == "distance":
			s.log.Info("has the distance")
			current = ""
			return
		case stage != current:
			s.close()
			s.start(int64(total))
			s.log.Info(stage, zap.Int("images", total))
			current = stage
		}
		s.set(int64(done), stage)
	}
}

func qualityRows(r quality.Result) []string {
	rows := []string{
		fmt.Sprintf("%s: %d samples, %s, seed %d", r.Text, r.Samples, r.Drawn, r.Seed),
		fmt.Sprintf("model: %s, step %d, weights %.12s, %s, %s", escape(r.Checkpoint), r.Step, r.Weights, r.Device, r.Precision),
		fmt.Sprintf("against %s, %d images, data %.12s", r.Reference, r.Real, r.RealHash),
	}
	for _, n := range r.Networks {
		rows = append(rows, "features: "+escape(networkRow(n)))
	}
	rows = append(rows, "FIGURE\tVALUE\tSAMPLES\tOF\tREAL IMAGES")
	for _, f := range r.Figures {
		value, against := "not computed: "+f.Missing, ""
		if f.Value != nil {
			value = fmt.Sprintf("%.4g", *f.Value)
		}
		if f.Splits > 0 {
			value += fmt.Sprintf(" ± %.2g, splits: %d", f.Deviation, f.Splits)
		}
		if f.Against > 0 {
			against = strconv.Itoa(f.Against)
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%d\t%s\t%s", f.Name, value, f.Images, f.Of, against))
	}
	return append(rows, r.Cautions()...)
}

func networkRow(n quality.About) string {
	s := fmt.Sprintf("%s, weights %.12s", n.Name, n.Weights)
	switch {
	case n.Published:
		s += " (as published)"
	case n.Mode != "":
		s += " (not the published ones: no figure is comparable)"
	}
	if n.Mode != "" {
		s += ", mode " + n.Mode
	}
	return s + ", " + n.Device
}
