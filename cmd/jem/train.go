package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/backend"
	"jem/config"
	"jem/feed"
	"jem/internal/rundir"
	"jem/predict"
	"jem/train"
	"jem/train/journal"
)

func (p *program) trainCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "train",
		Usage: "train a model into a run folder, or go on with an interrupted run",
		Description: "The configuration is the default (CIFAR-10 as in the paper), then --preset, then each\n" +
			"--config, then the flags named after the paper, then each --set. jem config show prints it.\n" +
			"Ctrl-C saves a checkpoint and stops; a second Ctrl-C stops at once.\n" +
			"\n" +
			"--resume RUN goes on from the newest checkpoint with the run's own configuration and ends\n" +
			"with the same bits as if it had never stopped. Settings given with it must be the run's,\n" +
			"except, with --allow-changes, those that leave what has been computed valid, as train.steps.\n" +
			"\n" +
			"A folder with anything else in it is refused, and so is one among the pictures of --dataset folder.",
		Flags: append(append(configFlags(),
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "run `FOLDER`, new or empty, or of a run that was killed before it began"},
			&cli.StringFlag{Name: "resume", Aliases: []string{"r"}, Usage: "go on with the run in `FOLDER`"},
			&cli.BoolFlag{Name: "allow-changes", Usage: "with --resume: let harmless settings differ from the run's"},
			&cli.BoolFlag{Name: "json", Usage: "print where the run is and its last evaluation as JSON on stdout"},
		), logFlags()...),
		Action: p.train,
	})
}

func (p *program) train(c *cli.Context) error {
	if c.IsSet("out") == c.IsSet("resume") || c.String("out") == "" && c.String("resume") == "" {
		return usagef(c, "name a folder for the run, as in --out runs/first, or one to go on with, as in --resume runs/first")
	}
	if c.Bool("allow-changes") && !c.IsSet("resume") {
		return usagef(c, "--allow-changes goes with --resume")
	}
	s, err := p.screen(c)
	if err != nil {
		return err
	}
	defer s.close()
	r := &running{screen: s}
	defer r.close()
	if c.IsSet("resume") {
		err = r.resume(c)
	} else {
		err = r.create(c)
	}
	if err != nil {
		return err
	}
	err = errors.Join(r.follow(c.Context), r.journal.Close())
	s.close()
	step := r.trainer.Progress().Step
	switch {
	case errors.Is(err, context.Canceled):
		return &stoppedError{run: string(r.journal.Path), step: step, err: err}
	case err != nil:
		return err
	case c.Bool("json"):
		return p.json(trained{Run: string(r.journal.Path), Report: r.journal.Path.Report(), Steps: step, Evaluation: r.trainer.Progress().Last})
	}
	_, err = fmt.Fprintln(p.stdout, r.journal.Path.Report())
	return err
}

// running is a run in this process: what must be opened, in order, to train.
type running struct {
	screen  *screen
	cfg     config.Config
	device  backend.Device
	sources *feed.Feed
	notes   []string // for the run's records
	trainer *train.Trainer
	journal *journal.Journal
}

// create starts a new run.
func (r *running) create(c *cli.Context) (err error) {
	if r.cfg, err = configOf(c); err != nil {
		return err
	}
	folder := c.String("out")
	if err := rundir.Vacant(folder); err != nil { // before the data are read
		return err
	}
	if r.device, err = openDevice(r.cfg.Device); err != nil {
		return err
	}
	if err := r.build(folder, 0); err != nil {
		return err
	}
	r.journal, err = journal.Create(r.options(folder))
	return err
}

// resume goes on with a run.
func (r *running) resume(c *cli.Context) error {
	folder := c.String("resume")
	saved, err := predict.RunConfig(folder)
	if err != nil {
		return err
	}
	if r.cfg, err = configOver(c, saved); err != nil {
		return err
	}
	stored, err := journal.Open(folder)
	if err != nil {
		return err
	}
	r.screen.notes(stored.Notes())
	allow := c.Bool("allow-changes")
	err = config.CheckResume(saved, r.cfg, stored.Step(), allow)
	if err == nil {
		err = r.rebuild(folder, stored, allow)
	}
	if err != nil {
		return errors.Join(err, stored.Close())
	}
	if stored.Begun() {
		r.notes = nil // the records have them
	}
	r.journal, err = stored.Resume(r.trainer, r.options(folder))
	return err
}

// rebuild opens the device and makes the trainer, such that the rest of the run is computed
// as its beginning was. Where that can't be it is an error, or a note if changes are allowed.
func (r *running) rebuild(folder string, stored *journal.Stored, allow bool) (err error) {
	if r.device, err = openDevice(stored.Device(r.cfg.Device)); err != nil {
		// Perhaps this machine lacks the run's instructions; then Missed will say so.
		if r.device, err = openDevice(r.cfg.Device); err != nil {
			return err
		}
	}
	stored.Follow(r.device)
	if err := r.build(folder, stored.Step()); err != nil {
		return err
	}
	missed := stored.Missed(r.device)
	if missed != nil && allow {
		r.screen.notes([]string{missed.Error()})
		return nil
	}
	return missed
}

// build opens the data, which a run in that folder must not lie among, and makes the trainer.
func (r *running) build(folder string, step int) (err error) {
	r.sources, r.notes, err = feed.Open(r.cfg, step)
	r.screen.notes(r.notes)
	if err == nil {
		err = apart(folder, r.cfg)
	}
	if err == nil {
		err = around(folder, r.cfg)
	}
	if err != nil {
		return err
	}
	r.trainer, err = train.New(r.device, r.cfg, r.sources.Sources)
	return err
}

func (r *running) options(folder string) journal.Options {
	return journal.Options{
		Path: folder, Config: r.cfg, Classes: r.sources.Classes, StepsPerEpoch: r.trainer.StepsPerEpoch(),
		Device: r.device.Name(), Algorithms: backend.Choices(r.device),
	}
}

// follow trains to the end, the journal being told first what happens.
func (r *running) follow(ctx context.Context) error {
	t, step := r.trainer, r.trainer.Progress().Step
	about := []zap.Field{zap.String("run", string(r.journal.Path)), zap.Int("step", step), zap.Int("steps", t.TotalSteps())}
	if t.Done() {
		r.screen.log.Info("the run is finished: nothing to do", about...)
		return nil
	}
	message := "training"
	if step > 0 {
		message = "resuming"
	}
	r.screen.log.Info(message, append(about, zap.String("device", r.device.Name()), zap.String("data", r.cfg.Data.Name),
		zap.String("network", fmt.Sprintf("WRN-%d-%d", r.cfg.Model.Depth, r.cfg.Model.Width)))...)
	for _, n := range r.notes {
		if err := r.journal.Note(0, n); err != nil {
			return err
		}
	}
	return t.Run(ctx, train.Observers{r.journal, newWatch(r.screen, r.cfg.Train.LogEvery, t.TotalSteps())}, r.journal)
}

func (r *running) close() {
	if r.sources != nil {
		r.sources.Close()
	}
	if r.device != nil {
		_ = r.device.Close() // nothing is left on it
	}
}

// trained is the result of a run.
type trained struct {
	Run        string           `json:"run"`
	Report     string           `json:"report"`
	Steps      int              `json:"steps"`
	Evaluation predict.Accuracy `json:"evaluation"` // the last one
}
