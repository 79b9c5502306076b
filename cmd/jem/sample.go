package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/internal/picture"
	"jem/train"
	"jem/train/journal"
)

// freshSteps is the default length of chains that start afresh: the published sampler needs
// some 100 steps without its replay buffer (official flag help).
const freshSteps = 100

func (p *program) sampleCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "sample",
		Usage: "draw samples from a trained model as a picture",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "PNG `FILE` to write"},
			&cli.IntFlag{Name: "n", Value: 100, Usage: "samples"},
			&cli.IntFlag{Name: "steps", Usage: "SGLD steps; default: those of training, or " + strconv.Itoa(freshSteps) + " with --fresh"},
			&cli.BoolFlag{Name: "fresh", Usage: "start chains anew instead of from the replay buffer"},
			&cli.StringFlag{Name: "class", Usage: "samples of one class, by name or number: climb log p(x|y)"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "seed of noise and fresh starts"},
			jsonFlag,
		}, runFlags()...),
		Action: p.sample,
	})
}

func (p *program) sample(c *cli.Context) error {
	switch {
	case !c.IsSet("out"):
		return usagef(c, "--out is missing: name the PNG file to write")
	case c.Int("n") < 1:
		return usagef(c, "--n %d: want at least 1", c.Int("n"))
	case c.Int("steps") < 0:
		return usagef(c, "--steps %d: want at least 0", c.Int("steps"))
	}
	return p.withRun(c, func(s *screen, m *train.Predictor) error {
		o, err := sampleOptions(c, m)
		if err != nil {
			return err
		}
		samples, err := m.Sample(o)
		if err != nil {
			return err
		}
		img, err := journal.Sheet(samples, m.Classes)
		if err != nil {
			return err
		}
		if err := picture.WritePNG(c.String("out"), img); err != nil {
			return err
		}
		if c.Bool("json") {
			return p.json(sampled(c.String("out"), o, samples))
		}
		_, err = fmt.Fprintln(p.stdout, c.String("out"))
		return err
	})
}

func sampleOptions(c *cli.Context, m *train.Predictor) (train.SampleOptions, error) {
	o := train.SampleOptions{N: c.Int("n"), Steps: m.Config.Sampler.Steps, Fresh: c.Bool("fresh"), Class: -1, Seed: c.Uint64("seed")}
	if o.Fresh {
		o.Steps = freshSteps
	}
	if c.IsSet("steps") {
		o.Steps = c.Int("steps")
	}
	if !c.IsSet("class") {
		return o, nil
	}
	name := c.String("class")
	o.Class = slices.Index(m.Classes, name)
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(m.Classes) {
		o.Class = i
	}
	if o.Class < 0 {
		return o, usagef(c, "--class %q: want 0 to %d or one of %s", name, len(m.Classes)-1, strings.Join(m.Classes, ", "))
	}
	return o, nil
}

// sampleReport says what was drawn.
type sampleReport struct {
	Picture    string    `json:"picture"`
	Samples    int       `json:"samples"`
	Steps      int       `json:"steps"`
	Fresh      bool      `json:"fresh"`
	Class      []int     `json:"class"` // predicted, in the picture's order
	Confidence []float64 `json:"confidence"`
	LogPx      []float64 `json:"log_px"`
}

func sampled(path string, o train.SampleOptions, s *train.Samples) sampleReport {
	return sampleReport{path, len(s.Class), o.Steps, o.Fresh, s.Class, s.Confidence, s.LogPx}
}
