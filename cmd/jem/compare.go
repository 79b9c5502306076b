package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	"gonum.org/v1/gonum/stat"

	"jem/internal/chart"
	"jem/internal/fault"
	"jem/internal/rundir"
)

// stretches is into how many parts compare's table cuts the runs.
const stretches = 10

func compareCommand() *cli.Command {
	return leaf(&cli.Command{
		Name:  "compare",
		Usage: "lay a metric of several runs over each other",
		Description: examples("Reads the runs' metrics.jsonl and prints the metric's mean over tenths of the longest run. Each run is\n"+
			"called by its folder's name. What metrics there are, a run's report.html shows.",
			"jem compare --run runs/first --run runs/other --metric loss --out loss.png"),
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "run", Required: true, Usage: "run `FOLDER`; repeat the flag for each"},
			&cli.StringFlag{Name: "metric", Value: "loss", Usage: "name in metrics.jsonl"},
			&cli.StringFlag{Name: "kind", Value: "train", Usage: "of the records: train or eval"},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Usage: "draw the curves into this PNG `FILE`"},
			jsonFlag,
		},
		Action: runCompare,
	})
}

// curve is a metric along a run.
type curve struct {
	Run    string    `json:"run"`
	Steps  []float64 `json:"steps"`
	Values []float64 `json:"values"`
}

func runCompare(c *cli.Context) error {
	var curves []curve
	for _, run := range c.StringSlice("run") {
		one, err := readCurve(run, c.String("kind"), c.String("metric"))
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

// readCurve reads a metric from a run's records of a kind; of a step that was done again after a rollback it has both.
func readCurve(run, kind, metric string) (curve, error) {
	records, err := rundir.ReadMetrics(rundir.Path(run).Metrics())
	if err != nil {
		return curve{}, err
	}
	one := curve{Run: filepath.Base(filepath.Clean(run))}
	for _, r := range records {
		if v, ok := r.Values[metric]; ok && r.Kind == kind {
			one.Steps, one.Values = append(one.Steps, float64(r.Step)), append(one.Values, v)
		}
	}
	if len(one.Steps) == 0 {
		return one, &fault.Error{Path: rundir.Path(run).Metrics(), Kind: fault.ErrMissing, Reason: fmt.Sprintf("no metric %q in records of kind %s", metric, kind)}
	}
	return one, nil
}

func overlay(curves []curve, metric string) chart.Chart {
	d := chart.Chart{Title: metric, XLabel: "training step", YLabel: metric}
	for _, c := range curves {
		d.Lines = append(d.Lines, chart.Line{Name: c.Run, X: c.Steps, Y: c.Values})
	}
	return d
}

// stretched are the rows of compare's table: the mean over each part of the runs.
func stretched(curves []curve) []string {
	last := 0.0
	for _, c := range curves {
		last = max(last, c.Steps[len(c.Steps)-1])
	}
	head := []string{"STEPS"}
	for _, c := range curves {
		head = append(head, c.Run)
	}
	rows := []string{strings.Join(head, "\t")}
	for i := range stretches {
		lo, hi := last*float64(i)/stretches, last*float64(i+1)/stretches
		cells := []string{fmt.Sprintf("%.0f-%.0f", lo+1, hi)}
		for _, c := range curves {
			cells = append(cells, c.mean(lo, hi))
		}
		rows = append(rows, strings.Join(cells, "\t"))
	}
	return rows
}

// mean is that of the values of steps in (lo, hi], or a dash where there are none.
func (c curve) mean(lo, hi float64) string {
	var within []float64
	for i, s := range c.Steps {
		if s > lo && s <= hi {
			within = append(within, c.Values[i])
		}
	}
	if len(within) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.5g", stat.Mean(within, nil))
}
