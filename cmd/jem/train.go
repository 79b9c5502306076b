package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/train"
	"jem/train/journal"
)

func (p *program) trainCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "train",
		Usage: "train a model into a run folder",
		Description: "The configuration is the default (CIFAR-10 as in the paper), then --preset, then each\n" +
			"--config, then the flags named after the paper, then each --set. jem config show prints it.\n" +
			"Ctrl-C saves a checkpoint and stops; a second Ctrl-C stops at once.",
		Flags: append(append(configFlags(),
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "run `FOLDER`, new or empty"},
			&cli.BoolFlag{Name: "json", Usage: "print where the run is and its last evaluation as JSON on stdout"},
		), logFlags()...),
		Action: p.train,
	})
}

func (p *program) train(c *cli.Context) error {
	folder := c.String("out")
	if folder == "" {
		return usagef(c, "--out is missing: name a folder for the run, as in --out runs/first")
	}
	cfg, err := config(c)
	if err != nil {
		return err
	}
	s, err := p.screen(c)
	if err != nil {
		return err
	}
	defer s.close()
	dev, err := openDevice(cfg.Device)
	if err != nil {
		return err
	}
	defer dev.Close()
	sources, notes, err := train.OpenSources(cfg, 0)
	s.notes(notes)
	if err != nil {
		return err
	}
	defer sources.Close()
	t, err := train.New(dev, cfg, sources.Sources)
	if err != nil {
		return err
	}
	j, err := journal.Create(journal.Options{
		Path: folder, Config: cfg, Classes: sources.Classes, Device: dev.Name(), StepsPerEpoch: t.StepsPerEpoch(),
	})
	if err != nil {
		return err
	}
	s.log.Info("training", zap.String("run", folder), zap.String("device", dev.Name()), zap.String("data", cfg.Data.Name),
		zap.String("network", fmt.Sprintf("WRN-%d-%d", cfg.Model.Depth, cfg.Model.Width)), zap.Int("steps", t.TotalSteps()))
	w := newWatch(s, cfg.Train.LogEvery, t.TotalSteps())
	err = errors.Join(follow(c.Context, t, j, w, notes), j.Close())
	s.close()
	switch {
	case err != nil:
		return err
	case c.Bool("json"):
		return p.json(trained{Run: folder, Report: j.Path.Report(), Steps: t.Progress().Step, Evaluation: t.Progress().Last})
	}
	_, err = fmt.Fprintln(p.stdout, j.Path.Report())
	return err
}

// follow trains to the end, the journal being told first what happens.
func follow(ctx context.Context, t *train.Trainer, j *journal.Journal, w *watch, notes []string) error {
	for _, n := range notes {
		if err := j.Note(0, n); err != nil {
			return err
		}
	}
	err := t.Run(ctx, train.Observers{j, w}, func() (string, error) { return j.Save(t) })
	if diverged := (*train.DivergedError)(nil); errors.As(err, &diverged) {
		return errors.Join(err, j.Note(diverged.Step, diverged.Error()))
	}
	return err
}

// trained is the result of a run.
type trained struct {
	Run        string         `json:"run"`
	Report     string         `json:"report"`
	Steps      int            `json:"steps"`
	Evaluation train.Accuracy `json:"evaluation"` // the last one
}
