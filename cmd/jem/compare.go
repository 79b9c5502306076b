package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"gonum.org/v1/gonum/stat"

	"jem/config/settings"
	"jem/internal/chart"
	"jem/internal/fault"
	"jem/internal/rundir"
	"jem/train/journal"
)

// stretches is into how many parts compare's table cuts the runs.
const stretches = 10

func compareCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "compare",
		Usage: "tell what several runs came to, in a table, or lay a metric of them over each other",
		Description: examples("RUN is a run's folder, or a folder of runs. The table has a row for each: the last and the best evaluation of\n"+
			"the held-out images (of the test images where none are held out; SPLIT tells), rollbacks, steps, hours of the\n"+
			"steps, and the settings in which the runs differ. Test figures stand apart: to choose by them is to learn from them.\n"+
			"\n"+
			"With --metric or --kind, or runs named by --run, the metric's mean over tenths of the longest run is printed;\n"+
			"tenths without a record are left out, and so are steps that a rollback gave up. A kind or metric that isn't\n"+
			"there is answered by the list of those that are. Each run is called by its folder's name.",
			"jem compare runs/first runs/other",
			"jem compare runs --out runs.csv",
			"jem compare runs/first runs/other --metric loss --out loss.png"),
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "run", Usage: "run `FOLDER` whose metric is laid over the others'; repeat the flag for each"},
			&cli.StringFlag{Name: "metric", Value: "loss", Usage: "lay this one over each other: name in metrics.jsonl"},
			&cli.StringFlag{Name: "kind", Value: "train", Usage: "of the records: train, eval-valid or eval-test; eval is that one of the two which a run has, valid before test"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "`FILE` to write: the table instead of printing it, or a PNG picture of the metric's curves besides"},
			gridFormatFlag("as --out ends (.json, .csv, .md), else table"),
			jsonFlag,
		}, logFlags()...),
		Action: runCompare,
	}, "[RUN...]")
}

// curve is a metric along a run.
type curve struct {
	Run    string   `json:"run"`
	Kind   string   `json:"kind"` // of the records
	Steps  []int    `json:"steps"`
	Values []figure `json:"values"`

	line chart.Line
}

func runCompare(c *cli.Context) error {
	runs := slices.Concat(c.Args().Slice(), c.StringSlice("run"))
	if len(runs) == 0 {
		return usagef(c, "--run is missing: name the runs, as in jem compare runs/first runs/second")
	}
	s, err := openScreen(c)
	if err != nil {
		return err
	}
	if c.IsSet("run") || c.IsSet("metric") || c.IsSet("kind") {
		return overlayRuns(c, s, runs)
	}
	return tabulateRuns(c, s, runs)
}

// overlayRuns lays a metric of runs over each other.
func overlayRuns(c *cli.Context, s *screen, named []string) error {
	if c.IsSet(gridFormatName) {
		return usagef(c, "--format is for the table: leave --metric, --kind and --run out, or --format")
	}
	runs, err := foldersOf(c, named)
	if err != nil {
		return err
	}
	var curves []curve
	for _, run := range runs {
		one, notes, err := readCurve(run, c.String("kind"), c.String("metric"))
		s.notes(notes)
		if err != nil {
			return err
		}
		curves = append(curves, one)
	}
	if name := c.String("out"); name != "" {
		png, err := overlay(curves, c.String("metric")).PNG()
		if err != nil {
			return err
		}
		if err := writeInto(name, png); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(c, curves)
	}
	return printTable(c, stretched(curves)...)
}

// readCurve reads a metric from a run's records of a kind.
func readCurve(run, kind, metric string) (curve, []string, error) {
	p := rundir.Path(run)
	if _, err := os.Stat(run); errors.Is(err, fs.ErrNotExist) {
		return curve{}, nil, &fault.Error{Path: run, Kind: fault.ErrMissing, Reason: "no such run folder"}
	}
	h, notes, err := journal.ReadHistory(p)
	if err != nil {
		return curve{}, notes, err
	}
	if h = h.Current(); len(h) == 0 {
		return curve{}, notes, &fault.Error{Path: run, Kind: fault.ErrMissing, Reason: "has no records: its metrics.jsonl is missing or empty"}
	}
	if kind, err = kindOf(h, p, kind); err != nil {
		return curve{}, notes, err
	}
	l := h.Line("", kind, metric)
	if len(l.X) == 0 {
		return curve{}, notes, lacks(p, "metric", metric, "records of kind "+fault.Short(kind)+" have", h.Metrics(kind))
	}
	whole, err := filepath.Abs(run)
	one := curve{Run: filepath.Base(whole), Kind: kind, line: l}
	for i := range l.X {
		one.Steps, one.Values = append(one.Steps, int(l.X[i])), append(one.Values, figure(l.Y[i]))
	}
	one.line.Name = one.Run
	return one, notes, err
}

// kindOf is the kind of records that is meant by one that is asked for.
func kindOf(h journal.History, p rundir.Path, asked string) (string, error) {
	kinds := h.Kinds()
	for _, kind := range []string{asked, strings.TrimSuffix(asked, "-") + "-valid", strings.TrimSuffix(asked, "-") + "-test"} {
		if slices.Contains(kinds, kind) {
			return kind, nil
		}
	}
	return "", lacks(p, "records of kind", asked, "it has", kinds)
}

// lacks says that a run has nothing of a name, and what it has.
func lacks(p rundir.Path, what, name, have string, names []string) error {
	const shown = 40
	var list []string
	for _, n := range names[:min(shown, len(names))] {
		list = append(list, fault.Short(n))
	}
	if more := len(names) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return &fault.Error{Path: p.Metrics(), Kind: fault.ErrMissing, Reason: fmt.Sprintf("no %s %q%s; %s %s",
		what, name, settings.Suggest(name, list), have, strings.Join(list, ", "))}
}

func overlay(curves []curve, metric string) chart.Chart {
	d := chart.Chart{Title: metric, XLabel: "training step", YLabel: metric}
	for _, c := range curves {
		d.Lines = append(d.Lines, c.line)
	}
	return d
}

// stretched are the rows of compare's table: the mean over each part of the runs that has records.
func stretched(curves []curve) []string {
	last := 0.0
	head := []string{"STEPS"}
	for _, c := range curves {
		last = max(last, float64(slices.Max(c.Steps)))
		head = append(head, escape(c.Run))
	}
	rows, gaps := []string{strings.Join(head, "\t")}, false
	for i := range stretches {
		lo, hi := math.Floor(last*float64(i)/stretches), math.Floor(last*float64(i+1)/stretches)
		steps := fmt.Sprintf("%.0f-%.0f", lo+1, hi)
		if lo+1 == hi {
			steps = fmt.Sprintf("%.0f", hi)
		}
		cells, some := []string{steps}, false
		for _, c := range curves {
			mean, any := c.mean(lo, hi)
			if !any {
				mean = "-"
			}
			cells, some, gaps = append(cells, mean), some || any, gaps || !any
		}
		if some {
			rows = append(rows, strings.Join(cells, "\t"))
		}
	}
	if gaps {
		rows = append(rows, "(-, or no row: no record in these steps)")
	}
	return rows
}

// mean is that of the values of steps in (lo, hi], if there are any.
func (c curve) mean(lo, hi float64) (string, bool) {
	var within []float64
	for i, s := range c.line.X {
		if s > lo && s <= hi {
			within = append(within, c.line.Y[i])
		}
	}
	if len(within) == 0 {
		return "", false
	}
	return fmt.Sprintf("%.5g", stat.Mean(within, nil)), true
}
