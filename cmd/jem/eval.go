package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/backend"
	"jem/train"
)

// runFlags are those of commands that read a finished run.
func runFlags() []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "run", Usage: "run `FOLDER`; its newest checkpoint is used"},
		&cli.StringFlag{Name: "checkpoint", Usage: "this checkpoint instead, as in runs/first/checkpoints/step-00001000"},
		dataDirFlag,
	}, append(deviceFlags(), logFlags()...)...)
}

func (p *program) evalCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "eval",
		Usage: "measure a trained model",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "task", Value: "accuracy", Usage: "what to measure: " + strings.Join(evalTasks, ", ")},
			&cli.StringFlag{Name: "split", Value: "test", Usage: "images: " + strings.Join(train.Splits, ", ")},
			&cli.IntFlag{Name: "limit", Usage: "only the first so many images of each set; 0: all"},
			&cli.StringFlag{Name: "ood", Usage: "sets for --task ood, between commas: svhn, cifar100, interp (means of two test images), folder:PATH, …"},
			&cli.StringFlag{Name: "pictures", Usage: "write charts as SVG into this `FOLDER`"},
			jsonFlag,
		}, append(append(attackFlags(), qualityFlags()...), runFlags()...)...),
		Action: p.eval,
	})
}

// evalTasks in the order of the help.
var evalTasks = []string{"accuracy", "nll", "calibration", "ood", "attack", "distal", "samples"}

func (p *program) eval(c *cli.Context) error {
	task := map[string]func(*cli.Context, *screen, *train.Predictor) error{
		"accuracy": p.accuracy, "nll": p.proper, "calibration": p.calibration, "ood": p.ood, "attack": p.attack, "distal": p.distal, "samples": p.quality,
	}[c.String("task")]
	switch split := c.String("split"); {
	case task == nil:
		return usagef(c, "--task %q: want %s", c.String("task"), strings.Join(evalTasks, ", "))
	case !slices.Contains(train.Splits, split):
		return usagef(c, "--split %q: want %s", split, strings.Join(train.Splits, ", "))
	case c.Int("refine") < 0:
		return usagef(c, "--refine %d: want at least 0", c.Int("refine"))
	case c.Int("limit") < 0:
		return usagef(c, "--limit %d: want at least 0", c.Int("limit"))
	}
	return p.withRun(c, func(s *screen, m *train.Predictor) error { return task(c, s, m) })
}

// accuracy is jem eval --task accuracy.
func (p *program) accuracy(c *cli.Context, s *screen, m *train.Predictor) error {
	split := c.String("split")
	images, notes, err := train.OpenImages(m.Config, split)
	if err != nil {
		return err
	}
	s.notes(notes)
	images = train.Head(images, c.Int("limit"))
	var a train.Accuracy
	if k := c.Int("refine"); k > 0 {
		a, err = m.RefinedAccuracy(images, split, k, c.Uint64("seed"))
	} else {
		a, err = m.Accuracy(images, split)
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return p.json(evaluation{Checkpoint: m.Checkpoint, Step: m.Step, Data: m.Config.Data.Name, Refine: c.Int("refine"), Accuracy: a})
	}
	_, err = fmt.Fprintf(p.stdout, "%s (%s, cross-entropy %.4f, pixel noise %g)\n", a, m.Config.Data.Name, a.Loss, a.Noise)
	return err
}

// evaluation is a measurement with what was measured.
type evaluation struct {
	Checkpoint string `json:"checkpoint"`
	Step       int    `json:"step"`
	Data       string `json:"data"`
	Refine     int    `json:"refine"` // SGLD steps before the answer
	train.Accuracy
}

// withRun opens the device and the run that a command's runFlags name.
func (p *program) withRun(c *cli.Context, do func(*screen, *train.Predictor) error) error {
	if c.IsSet("run") == c.IsSet("checkpoint") {
		return usagef(c, "name either --run or --checkpoint")
	}
	s, err := p.screen(c)
	if err != nil {
		return err
	}
	defer s.close()
	dev, err := openDevice(deviceOf(c))
	if err != nil {
		return err
	}
	defer dev.Close()
	m, err := openRun(c, dev, s)
	if err != nil {
		return err
	}
	return do(s, m)
}

func openRun(c *cli.Context, dev backend.Device, s *screen) (*train.Predictor, error) {
	m, notes, err := train.OpenRun(dev, c.String("run"), c.String("checkpoint"))
	s.notes(notes)
	if err != nil {
		return nil, err
	}
	if c.IsSet("data-dir") {
		m.Config.Data.Dir = c.String("data-dir")
	}
	s.log.Info("opened", zap.String("checkpoint", m.Checkpoint), zap.Int("step", m.Step), zap.String("device", dev.Name()))
	return m, nil
}

// notes logs sentences for the user.
func (s *screen) notes(all []string) {
	for _, n := range all {
		s.log.Warn(escape(n))
	}
}
