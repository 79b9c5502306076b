package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/eval/robust"
	"jem/predict"
)

// evalDistal is jem eval --task distal.
func evalDistal(c *cli.Context, s *screen, m *predict.Predictor) error {
	o := robust.DistalOptions{N: c.Int("limit"), Seed: c.Uint64("seed")}
	name := c.String("class")
	if o.Class = classNamed(m, name); o.Class < 0 {
		return usagef(c, "--class %q: want 0 to %d or one of %s", name, len(m.Classes)-1, strings.Join(m.Classes, ", "))
	}
	r, err := robust.Distal(c.Context, m, o, s.follow())
	if err != nil {
		return err
	}
	drawn := writePictures(c.String("pictures"), r.Pictures)
	rows := []string{fmt.Sprintf("noise taken for %s", m.Classes[o.Class]), "IMAGE\tSTEPS\tp(y|x)"}
	for i, confidence := range r.Reached {
		rows = append(rows, fmt.Sprintf("%d\t%d\t%.3f", i, r.Taken[i], confidence))
	}
	return errors.Join(drawn, printResult(c, r, rows))
}
