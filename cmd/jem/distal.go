package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/eval/robust"
	"jem/internal/picture"
	"jem/predict"
)

// The defaults of distal images: the paper says 0.9, the rest is ours.
const (
	distalImages     = 10
	distalSteps      = 500
	distalStep       = 0.2
	distalConfidence = 0.9
)

// distal is jem eval --task distal.
func (p *program) distal(c *cli.Context, _ *screen, m *predict.Predictor) error {
	o := robust.DistalOptions{N: distalImages, Steps: distalSteps, StepSize: distalStep, Confidence: distalConfidence, Seed: c.Uint64("seed")}
	if n := c.Int("limit"); n > 0 {
		o.N = n
	}
	name := c.String("class")
	o.Class = slices.Index(m.Classes, name)
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(m.Classes) {
		o.Class = i
	}
	if o.Class < 0 {
		return usagef(c, "--class %q: want 0 to %d or one of %s", name, len(m.Classes)-1, strings.Join(m.Classes, ", "))
	}
	r, err := robust.Distal(m, o)
	if err != nil {
		return err
	}
	if err := distalPicture(c, r); err != nil {
		return err
	}
	rows := []string{fmt.Sprintf("noise taken for %s", m.Classes[o.Class]), "IMAGE\tSTEPS\tp(y|x)"}
	for i, confidence := range r.Reached {
		rows = append(rows, fmt.Sprintf("%d\t%d\t%.3f", i, r.Taken[i], confidence))
	}
	return p.result(c, r, rows)
}

func distalPicture(c *cli.Context, r robust.DistalImages) error {
	if c.String("pictures") == "" {
		return nil
	}
	img, err := picture.Grid{}.Draw(picture.Batch{N: len(r.Samples.Class), C: r.Channels, H: r.Size, W: r.Size, Pix: r.Images})
	if err != nil {
		return err
	}
	png, err := picture.PNG(img)
	if err != nil {
		return err
	}
	return writeInto(filepath.Join(c.String("pictures"), fmt.Sprintf("distal-%d.png", r.DistalOptions.Class)), png)
}
