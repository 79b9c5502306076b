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
		Usage: "lay a metric of several runs over each other",
		Description: examples("Reads the runs' metrics.jsonl and prints the metric's mean over tenths of the longest run; tenths without\n"+
			"a record are left out, and so are steps that a rollback gave up. Each run is called by its folder's name.\n"+
			"A kind or metric that isn't there is answered by the list of those that are.",
			"jem compare --run runs/first --run runs/other --metric loss --out loss.png"),
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "run", Usage: "run `FOLDER`; repeat the flag for each"},
			&cli.StringFlag{Name: "metric", Value: "loss", Usage: "name in metrics.jsonl"},
			&cli.StringFlag{Name: "kind", Value: "train", Usage: "of the records: train, eval-valid or eval-test; eval is that one of the two which a run has, valid before test"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "draw the curves into this PNG `FILE`"},
			jsonFlag,
		}, logFlags()...),
		Action: runCompare,
	})
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
	runs := c.StringSlice("run")
	if len(runs) == 0 {
		return usagef(c, "--run is missing: name the runs, as in --run runs/first --run runs/second")
	}
	s, err := openScreen(c)
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
