package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/comm"
	"jem/internal/rundir"
	"jem/predict"
	"jem/train/gauges"
	"jem/train/session"
)

func trainCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "train",
		Usage: "train a model into a run folder, or go on with an interrupted run",
		Description: examples("The configuration is the default (CIFAR-10 as in the paper), then --preset, then each\n"+
			"--config, then the flags named after the paper, then each --set. jem config show prints it.\n"+
			"Ctrl-C saves a checkpoint and stops; a second Ctrl-C stops at once.\n"+
			"\n"+
			"--resume RUN goes on from the newest checkpoint with the run's own configuration and ends\n"+
			"with the same bits as if it had never stopped. Settings given with it must be the run's,\n"+
			"except, with --allow-changes, those that leave what has been computed valid, as train.steps.\n"+
			"--out RUN --resume-if-there is one command for both: begin, or go on, or say that it is done.\n"+
			"\n"+
			"Under mpirun or srun, bin/jem-mpi shares each step among the processes: docs/cluster.md.\n"+
			"\n"+
			"A folder with anything else in it is refused, and so is one among the pictures of --dataset folder.",
			"jem train --preset fashion-demo --out runs/first",
			"jem train --preset folder --data-dir pictures --out runs/mine",
			"jem train --preset cifar10-small --set sampler.steps=10 --seed 2 --out runs/k10",
			"jem train --preset folder --data-dir pictures --init runs/first --out runs/tuned",
			"jem train --preset fashion-demo --out runs/first --resume-if-there",
			"jem train --resume runs/first"),
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "run `FOLDER`, new or empty, or of a run that was killed before it began"},
			&cli.StringFlag{Name: "resume", Aliases: []string{"r"}, Usage: "go on with the run in `FOLDER`"},
			&cli.BoolFlag{Name: "resume-if-there", Usage: "with --out: go on with the run in that folder where there is one, else begin it"},
			&cli.BoolFlag{Name: "allow-changes", Usage: "with --resume, --resume-if-there: let harmless settings differ from the run's"},
			rankTimeoutFlag,
			&cli.BoolFlag{Name: "json", Usage: "print where the run is and its last evaluation as JSON on stdout"},
		}, configFlags(), gaugeFlags(), logFlags()),
		Action: runTrain,
	})
}

func runTrain(c *cli.Context) error {
	j := jobOf(c)
	if err := j.enlist(c, runConfig); err != nil {
		return err
	}
	all := comm.NewAccord(context.Background(), j.ranks)
	start, err := startOf(c)
	if err = all.Check(err); err != nil {
		return err
	}
	s, err := openScreen(c)
	if err = all.Check(err); err != nil {
		return err
	}
	defer s.close()
	var readers net.Listener
	if err := all.Lead(func(context.Context) (err error) { readers, err = listenForReaders(c); return err }); err != nil {
		return err
	}
	run, err := start(c, s)
	if err != nil {
		return errors.Join(err, closed(readers))
	}
	j.begin(run, c.App.ErrWriter)
	err = ended(all, run, follow(c, all, s, run, readers))
	s.close()
	step := run.Trainer.Progress().Step
	switch {
	case errors.Is(err, context.Canceled) && exitCode(err) == exitStopped:
		return &stoppedError{fmt.Sprintf("stopped after step %d, checkpoint saved", step), fmt.Sprintf("jem train --resume %s goes on from there", run.Path), err}
	case err != nil:
		return err
	case j.ranks.Rank() > 0:
		return nil
	case c.Bool("json"):
		return printJSON(c, trained{Run: string(run.Path), Report: run.Path.Report(), Steps: step, Evaluation: run.Trainer.Progress().Last})
	}
	printPlace(c, run.Path.Report())
	return nil
}

// ended closes a run, while the ranks wait for each other where they can, and adds what went wrong with that.
func ended(all *comm.Accord, run *session.Session, err error) error {
	if comm.Lost(err) {
		return errors.Join(err, run.Close())
	}
	closing := all.During(func(context.Context) error { return run.Close() })
	if others(err) && others(closing) {
		return err // which another rank says
	}
	return errors.Join(err, closing)
}

// startOf says how the flags want a run to start.
func startOf(c *cli.Context) (func(*cli.Context, *screen) (*session.Session, error), error) {
	out, resume, either := c.String("out"), c.String("resume"), c.Bool("resume-if-there")
	switch {
	case out != "" && resume != "":
		return nil, usagef(c, "--out begins a run and --resume goes on with one: give one of them, or --out %s --resume-if-there for whichever fits", out)
	case out == "" && resume == "":
		return nil, usagef(c, "name a folder for the run, as in --out runs/first, or one to go on with, as in --resume runs/first")
	case either && out == "":
		return nil, usagef(c, "--resume-if-there goes with --out: --resume goes on with a run that is there")
	case c.IsSet("init") && resume != "":
		return nil, usagef(c, "--init begins a run and --resume goes on with one, whose weights it has: give one of them")
	case c.Bool("allow-changes") && resume == "" && !either:
		return nil, usagef(c, "--allow-changes goes with --resume or --resume-if-there")
	case either:
		return beginOrGoOn, nil
	case out != "":
		return begin, nil
	}
	return func(c *cli.Context, s *screen) (*session.Session, error) { return goOn(c, s, resume) }, nil
}

// beginOrGoOn starts the run that the flags ask for, or goes on with it. Whether it is there is
// what begin finds under the folder's lock, so that two starts at once come to one run.
func beginOrGoOn(c *cli.Context, s *screen) (*session.Session, error) {
	run, err := begin(c, s)
	if err == nil || comm.Lost(err) {
		return run, err
	}
	exists := int64(0)
	if errors.Is(err, rundir.ErrExists) {
		exists = 1
	}
	exists, lost := jobOf(c).ranks.Max(exists) // which the first rank found
	switch {
	case lost != nil:
		return nil, lost
	case exists == 0:
		return nil, err
	}
	return goOn(c, s, c.String("out"))
}

// begin starts the run that the flags ask for.
func begin(c *cli.Context, s *screen) (*session.Session, error) {
	cfg, err := configOf(c)
	if err = check(c, err); err != nil {
		return nil, err
	}
	o := runOptions(c, s, c.String("out"))
	o.Config = cfg
	return session.Create(o)
}

// goOn goes on with the run in a folder, with its configuration under the flags.
func goOn(c *cli.Context, s *screen, run string) (*session.Session, error) {
	o := runOptions(c, s, run)
	if c.Bool("allow-changes") {
		o.Changes = session.HarmlessChanges
	}
	saved, err := predict.RunConfig(o.Folder)
	if err == nil {
		o.Config, err = configOver(c, saved)
	}
	if err = check(c, err); err != nil {
		return nil, err
	}
	return session.Resume(o)
}

func runOptions(c *cli.Context, s *screen, folder string) session.Options {
	j := jobOf(c)
	return session.Options{Folder: folder, Comm: j.ranks, Machines: j.place.Nodes, Open: j.openDevice, Notes: s.notes}
}

// check agrees with the other ranks that none has failed.
func check(c *cli.Context, err error) error {
	return comm.NewAccord(context.Background(), jobOf(c).ranks).Check(err)
}

// follow trains to the end, for people to watch, and for programs, some of whom read at a port. Of several ranks
// the first one shows what happens.
func follow(c *cli.Context, all *comm.Accord, s *screen, run *session.Session, readers net.Listener) error {
	t, cfg, step := run.Trainer, run.Config, run.Trainer.Progress().Step
	about := []zap.Field{zap.String("run", string(run.Path)), zap.Int("step", step), zap.Int("steps", t.TotalSteps())}
	if t.Done() {
		s.log.Info("the run is finished: nothing to do; with --allow-changes --steps N it gets longer", about...)
		return closed(readers)
	}
	message := "training"
	if step > 0 {
		message = "resuming"
	}
	s.log.Info(message, append(about, zap.String("device", run.Device), zap.String("data", cfg.Data.Name),
		zap.String("network", cfg.Model.Name()))...)
	var shown *gauges.Board
	if err := all.Lead(func(context.Context) (err error) { shown, err = showGauges(c, s, run, readers); return err }); err != nil {
		return err
	}
	if shown == nil {
		return run.Run(c.Context)
	}
	if readers != nil {
		s.log.Info("figures for Prometheus", zap.String("url", "http://"+readers.Addr().String()+"/metrics"))
	}
	return errors.Join(run.Run(c.Context, newWatch(s, cfg.Train.LogEvery, t.TotalSteps()), shown), shown.Close())
}

// trained is the result of a run.
type trained struct {
	Run        string           `json:"run"`
	Report     string           `json:"report"`
	Steps      int              `json:"steps"`
	Evaluation predict.Accuracy `json:"evaluation"` // the last one
}
