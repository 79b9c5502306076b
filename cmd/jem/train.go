package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/train"
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
			&cli.BoolFlag{Name: "json", Usage: "print the last evaluation as JSON on stdout"},
		), logFlags()...),
		Action: p.train,
	})
}

func (p *program) train(c *cli.Context) (err error) {
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
	session, err := train.Begin(dev, cfg, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()

	s.log.Info("training", zap.String("run", folder), zap.String("device", dev.Name()), zap.String("data", cfg.Data.Name),
		zap.String("network", fmt.Sprintf("WRN-%d-%d", cfg.Model.Depth, cfg.Model.Width)), zap.Int("steps", session.Trainer.TotalSteps()))
	w := newWatch(s, cfg.Train.LogEvery, session.Trainer.TotalSteps())
	if err := session.Run(c.Context, w); err != nil {
		return err
	}
	s.close()
	if c.Bool("json") {
		return p.json(w.evaluated)
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n", session.Folder.Report())
	return err
}
