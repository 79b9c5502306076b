package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/experiments"
	"jem/train"
)

func reproduceCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "reproduce",
		Usage: "train and measure what a table or figure of the paper needs, and write it",
		Description: examples("ID is all or one of "+experiments.IDs()+".\n"+
			"\n"+
			"Runs are shared: what has been trained for one table serves the others. Ctrl-C or a kill at any\n"+
			"moment loses nothing but the present measurement; the same command goes on. Tables are written as soon as their\n"+
			"runs have ended, into FOLDER/tables as ID.md, .json, .csv and .html with plots as SVG and PNG; a\n"+
			"figure whose run is missing says so in its cell. FOLDER is new, empty or of an earlier jem reproduce.\n"+
			"\n"+
			"Scales: smoke takes minutes, on generated images unless --data-dir is given; small takes about eight\n"+
			"hours of training on two CPU cores, two of them for the paper's own tables, and published images; paper is the published configuration.",
			"jem reproduce table1 --scale small --data-dir data", "jem reproduce all --scale paper --dry-run"),
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "scale", Value: "small", Usage: "smoke, small or paper"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FOLDER` of runs, measurements and tables; default: runs/reproduce-SCALE"},
			dataDirFlag,
			&cli.BoolFlag{Name: "dry-run", Usage: "print what would be trained, how long it takes on this machine, and what is missing"},
			&cli.BoolFlag{Name: "measure", Usage: "with --dry-run: time each kind of run, some minutes, instead of estimating from a small network"},
			&cli.BoolFlag{Name: "only-ready", Usage: "train nothing: write the tables from the runs that have ended"},
			jsonFlag,
		}, deviceFlags()...), logFlags()...),
		Action: runReproduce,
	}, "ID")
}

func runReproduce(c *cli.Context) error {
	if c.Bool("measure") && !c.Bool("dry-run") {
		return usagef(c, "--measure goes with --dry-run")
	}
	scale, err := experiments.ParseScale(c.String("scale"))
	if err != nil {
		return usagef(c, "--scale: %v", err)
	}
	list, err := experiments.Select(c.Args().First())
	if err != nil {
		return usagef(c, "%v", err)
	}
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	defer s.close()
	out := c.String("out")
	if out == "" {
		out = filepath.Join("runs", "reproduce-"+string(scale))
	}
	lab, err := experiments.NewLab(c.Context, experiments.Options{
		Scale: scale, Out: out, DataDir: c.String("data-dir"), Device: deviceOf(c), OnlyReady: c.Bool("only-ready"), MeasureRates: c.Bool("measure"), Open: openDevice,
		Watch: func(run string, steps int) train.Observer {
			s.log.Info("training", zap.String("run", run), zap.Int("steps", steps))
			return newWatch(s, watchEvery, steps)
		},
		Tell: func(text string) { s.log.Info(escape(text)) },
	})
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return errors.Join(printPlan(c, lab, list), lab.Close())
	}
	err = errors.Join(lab.Reproduce(list), lab.Close())
	s.close()
	if errors.Is(err, context.Canceled) {
		s.log.Warn("stopped: the same command goes on from here")
	}
	if err != nil {
		return err
	}
	return printReproduced(c, out, list)
}

// watchEvery is how many steps lie between the log's lines where there is no bar.
const watchEvery = 100

// printReproduced names the files.
func printReproduced(c *cli.Context, out string, list []experiments.Experiment) error {
	files := map[string]string{}
	for _, e := range list {
		files[e.ID] = filepath.Join(out, "tables", e.ID+".html")
	}
	if c.Bool("json") {
		return printJSON(c, files)
	}
	for _, e := range list {
		printPlace(c, files[e.ID])
	}
	return nil
}

// printPlan is jem reproduce --dry-run.
func printPlan(c *cli.Context, lab *experiments.Lab, list []experiments.Experiment) error {
	plan, err := lab.Plan(list)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, plan)
	}
	rows := []string{plan.Label, "", "RUN\tDATA\tNETWORK\tK\tSTEPS\tTAKEN\tSTATE\tS/STEP\tRATE\tHOURS LEFT\tFOR"}
	for _, r := range plan.Runs {
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s",
			r.Folder, r.Data, r.Network, r.SGLD, r.Steps, r.Taken, r.State, amount(r.Seconds), r.Rate, amount(r.Left), strings.Join(r.For, " ")))
	}
	rows = append(rows, "", amount(plan.Hours)+" hours of training left, at this machine's rate; evaluations come on top")
	if n := plan.Estimates(); n > 0 {
		rows = append(rows, fmt.Sprintf("the rates of %d runs are estimated from a small network's, timed for a moment; --measure times theirs", n))
	}
	rows = append(rows, "")
	for _, r := range plan.Runs {
		if r.Seed > 1 {
			continue // differs from the first in nothing else
		}
		rows = append(rows, strings.Join(append([]string{fmt.Sprintf("%s: %s: preset %s", r.Folder, r.About, r.Recipe)}, r.Options...), " "))
	}
	rows = append(rows, "")
	for _, m := range plan.Missing {
		rows = append(rows, "missing: "+m)
	}
	return printTable(c, rows...)
}

// amount writes a duration with three digits, whole numbers as they are.
func amount(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
