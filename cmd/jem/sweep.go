package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"jem/config"
	"jem/config/settings"
	"jem/internal/grid"
	"jem/sweep"
	"jem/train"
)

// maxSeeds bounds --seeds.
const maxSeeds = 100

func sweepCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "sweep",
		Usage: "train a grid or a list of settings with several seeds, one run after the other, into one table",
		Description: examples("Every combination of the --grid values, or every case of --cases, is trained with --seeds seeds on top of the\n"+
			"configuration that the other flags say, as in jem train. Runs lie in sub-folders of --out, beside the table,\n"+
			"sweep.json, .csv and .md, which is written after each run: means and standard deviations over seeds.\n"+
			"\n"+
			"The figures are of held-out images; nothing is to be chosen on test images, so the table has none of these.\n"+
			"Ctrl-C or a kill loses nothing but the steps since the last checkpoint; the same command goes on: what has\n"+
			"ended is not trained again. A changed grid is said, and takes over the runs that it shares with the one before.\n"+
			"A case that diverges or fails is in the table with the reason, and the next one follows; the exit code is then that of\n"+
			"the first such run (76: diverged).\n"+
			"\n"+
			"--cases FILE is YAML, each case with the settings that it has for itself, and a name and a preset if it likes:\n"+
			"  cases:\n"+
			"    - name: twin\n"+
			"      objective: {p_x: 0, l2: 0}\n"+
			"    - name: fades\n"+
			"      optim: {decay_epochs: [10, 20]}",
			"jem sweep --preset cifar10-small --out runs/rates --grid optim.lr=1e-3,2e-3 --grid objective.p_x=0.15,0.5 --seeds 3",
			"jem sweep --preset cifar10-small --out runs/cases --cases cases.yaml --steps 600 --dry-run"),
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FOLDER` of the runs and the table, new, empty or of an earlier start"},
			&cli.StringSliceFlag{Name: "grid", Usage: "values of a setting, as in optim.lr=1e-3,2e-3; may be repeated for others, all are combined"},
			&cli.StringFlag{Name: "cases", Usage: "YAML `FILE` with a list of cases; each is combined with --grid, if there is one"},
			&cli.IntFlag{Name: "seeds", Value: 1, Usage: "runs of each case: with the configuration's seed and those that follow"},
			&cli.BoolFlag{Name: "dry-run", Usage: "print the runs, their settings and how they stand, and train nothing"},
			&cli.BoolFlag{Name: "allow-changes", Usage: "let harmless settings, as train.steps, differ from those that runs there have"},
			gridFormatFlag("table; files of all of them are written in any case"),
			jsonFlag,
		}, configFlags(), logFlags()),
		Action: runSweep,
	})
}

func runSweep(c *cli.Context) error {
	plan, format, err := sweepPlan(c)
	if err != nil {
		return err
	}
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	defer s.close()
	o := sweep.Options{
		Folder: c.String("out"), AllowChanges: c.Bool("allow-changes"), Open: openDevice,
		Tell: func(text string) { s.log.Warn(escape(text)) },
		Watch: func(run string, i, n, steps int) train.Observer {
			s.close()
			s.log.Info("training", zap.String("run", run), zap.Int("number", i+1), zap.Int("of", n), zap.Int("steps", steps))
			return newWatch(s, watchEvery, steps)
		},
	}
	if c.Bool("dry-run") {
		return printSweepPlan(c, format, plan, o)
	}
	all, err := sweep.Open(plan, o)
	if err != nil {
		return err
	}
	err = all.Run(c.Context)
	s.close()
	if errors.Is(err, context.Canceled) {
		return &stoppedError{err.Error(), "the same command goes on from there", err}
	}
	var unended *sweep.UnendedError
	if err != nil && !errors.As(err, &unended) {
		return err
	}
	r, failed := all.Result()
	if failed != nil {
		return errors.Join(err, failed)
	}
	return errors.Join(writeGrid(c, format, "", r.Grid(), r), err)
}

// sweepPlan is what the flags ask for, and the format of the table.
func sweepPlan(c *cli.Context) (*sweep.Plan, string, error) {
	switch n := c.Int("seeds"); {
	case c.String("out") == "":
		return nil, "", usagef(c, "--out is missing: name a folder for the runs, as in --out runs/rates")
	case len(c.StringSlice("grid")) == 0 && c.String("cases") == "" && n == 1:
		return nil, "", usagef(c, "nothing to sweep: name --grid, --cases or --seeds")
	case n < 1 || n > maxSeeds:
		return nil, "", usagef(c, "--seeds %d: want 1 to %d", n, maxSeeds)
	}
	format, err := gridFormat(c, "")
	if err != nil {
		return nil, "", err
	}
	var axes []sweep.Axis
	for _, text := range c.StringSlice("grid") {
		a, err := sweep.ParseAxis("--grid", text)
		if err != nil {
			return nil, "", err
		}
		axes = append(axes, a)
	}
	var cases []sweep.Case
	if file := c.String("cases"); file != "" {
		if cases, err = sweep.ReadCases(file); err != nil {
			return nil, "", err
		}
	}
	base, err := layers(c)
	if err != nil {
		return nil, "", err
	}
	plan, err := sweep.NewPlan(func(preset string, more ...settings.Layer) (config.Config, error) {
		return config.Load(cmp.Or(preset, c.String("preset")), slices.Concat(base, more)...)
	}, axes, cases, c.Int("seeds"))
	return plan, format, err
}

// plannedRun is a run in --dry-run's JSON.
type plannedRun struct {
	Run      string         `json:"run"`
	Case     string         `json:"case"`
	Settings map[string]any `json:"settings"` // in which the cases differ
	Seed     uint64         `json:"seed"`
	State    string         `json:"state"`
}

// printSweepPlan is jem sweep --dry-run.
func printSweepPlan(c *cli.Context, format string, plan *sweep.Plan, o sweep.Options) error {
	s, err := sweep.Look(plan, o)
	if err != nil {
		return err
	}
	g := grid.Grid{Columns: []grid.Column{{Title: "RUN", Names: []string{"run"}}, {Title: "CASE", Names: []string{"case"}}, {Title: "SEED", Names: []string{"seed"}}, {Title: "STATE", Names: []string{"state"}}}}
	for _, p := range plan.Paths {
		g.Columns = append(g.Columns, grid.Column{Title: p, Names: []string{p}})
	}
	of := map[string]sweep.Planned{}
	for _, one := range plan.Cases {
		for _, r := range one.Runs {
			of[r.Name] = one
		}
	}
	var all []plannedRun
	for _, r := range plan.Runs() {
		one := of[r.Name]
		all = append(all, plannedRun{r.Name, one.Name, one.Settings, r.Seed, s.State(r)})
		row := []grid.Cell{grid.Text(r.Name), grid.Text(one.Name), grid.Text(fmt.Sprint(r.Seed)), grid.Text(s.State(r))}
		for _, p := range plan.Paths {
			row = append(row, grid.Text(fmt.Sprint(one.Settings[p])))
		}
		g.Rows = append(g.Rows, row)
	}
	g.Notes = []string{fmt.Sprintf("number of runs: %d, trained in this order", len(all))}
	return writeGrid(c, format, "", g, all)
}
