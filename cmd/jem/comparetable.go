package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/config"
	"jem/config/settings"
	"jem/internal/grid"
	"jem/train/journal"
)

// compared is a run in the table's JSON.
type compared struct {
	journal.Standing
	Settings map[string]any `json:"settings"` // in which the runs differ
}

// foldersOf are the runs that a command line names: folders of runs stand for those in them.
func foldersOf(c *cli.Context, named []string) (runs []string, err error) {
	for _, name := range named {
		if slices.Contains(c.StringSlice("run"), name) { // which names one
			runs = append(runs, name)
			continue
		}
		in, err := journal.Runs(name)
		if err != nil {
			return nil, err
		}
		runs = append(runs, in...)
	}
	return runs, nil
}

// tabulateRuns is jem compare's table.
func tabulateRuns(c *cli.Context, s *screen, named []string) error {
	format, err := gridFormat(c, c.String("out"))
	if err != nil {
		return err
	}
	runs, err := foldersOf(c, named)
	if err != nil {
		return err
	}
	var all []journal.Standing
	for _, run := range runs {
		one, notes, err := journal.Stand(run)
		s.notes(notes)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	differing := differences(all)
	var told []compared
	for i, one := range all {
		told = append(told, compared{one, differing[i]})
	}
	return writeGrid(c, format, c.String("out"), comparison(told), told)
}

// differences are the settings in which runs differ, with their values, by run. Where images lie and how many
// threads compute makes no difference.
func differences(all []journal.Standing) []map[string]any {
	var known []config.Config
	for _, one := range all {
		if one.Config != nil {
			known = append(known, *one.Config)
		}
	}
	paths := slices.DeleteFunc(settings.Differing(known), func(p string) bool { return p == "data.dir" || p == "device.threads" })
	differing := make([]map[string]any, len(all))
	for i, one := range all {
		differing[i] = map[string]any{}
		if one.Config == nil {
			continue
		}
		for _, k := range settings.Keys(*one.Config) {
			if slices.Contains(paths, k.Path) {
				differing[i][k.Path] = k.Value
			}
		}
	}
	return differing
}

// shownSettings is how many settings have a column of their own for people.
const shownSettings = 8

// comparison is the table.
func comparison(all []compared) grid.Grid {
	g := grid.Grid{Columns: []grid.Column{
		{Title: "RUN", Names: []string{"run"}}, {Title: "STEPS", Names: []string{"step", "steps"}}, {Title: "SPLIT", Names: []string{"split"}},
		{Title: "ACC %", Names: []string{"accuracy"}}, {Title: "NLL", Names: []string{"nll"}}, {Title: "ECE %", Names: []string{"ece"}},
		{Title: "CONF %", Names: []string{"mean_confidence"}},
		{Title: "BEST ACC %", Names: []string{"best_accuracy", "best_accuracy_step"}}, {Title: "BEST NLL", Names: []string{"best_nll", "best_nll_step"}},
		{Title: "KEPT", Names: []string{"best"}},
		{Title: "TEST ACC %", Names: []string{"test_accuracy"}}, {Title: "TEST NLL", Names: []string{"test_nll"}},
		{Title: "ROLLBACKS", Names: []string{"rollbacks"}}, {Title: "HOURS", Names: []string{"hours"}}, {Title: "S/STEP", Names: []string{"step_seconds"}},
	}, Notes: []string{"ACC, NLL, ECE, CONF: the last evaluation; BEST … (step): the best one; KEPT: which of the two --checkpoint best opens"}}
	paths := settingPaths(all)
	for _, p := range paths {
		column := grid.Column{Title: p, Names: []string{p}}
		if len(paths) > shownSettings {
			column.Title = ""
		}
		g.Columns = append(g.Columns, column)
	}
	if len(paths) > shownSettings {
		g.Notes = append(g.Notes, fmt.Sprintf("they differ in %d settings, whose values --format csv and json have: %s", len(paths), strings.Join(paths, ", ")))
	}
	for _, one := range all {
		row := standingCells(one.Standing)
		for _, p := range paths {
			value := ""
			if v, known := one.Settings[p]; known {
				value = fmt.Sprint(v)
			}
			row = append(row, grid.Text(value))
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// settingPaths are those of the runs' settings that are shown, in the order of the configuration.
func settingPaths(all []compared) (paths []string) {
	for _, one := range all {
		if one.Config == nil {
			continue
		}
		for _, k := range settings.Keys(*one.Config) {
			if _, shown := one.Settings[k.Path]; shown {
				paths = append(paths, k.Path)
			}
		}
		return paths
	}
	return nil
}

func standingCells(s journal.Standing) []grid.Cell {
	steps := grid.Cell{Text: fmt.Sprint(s.Step), Raw: []string{fmt.Sprint(s.Step), fmt.Sprint(s.Steps)}}
	if s.Steps > 0 && s.Step != s.Steps {
		steps.Text += fmt.Sprintf(" of %d", s.Steps)
	}
	return []grid.Cell{
		grid.Text(s.Run), steps, grid.Text(s.Split),
		accuracyOf(s.Last), nllOf(s.Last), shareOf(s.Last, func(e *journal.Evaluation) *journal.Number { return e.ECE }),
		shareOf(s.Last, func(e *journal.Evaluation) *journal.Number { return e.Confidence }),
		atStep(accuracyOf(s.BestAccuracy), s.BestAccuracy), atStep(nllOf(s.BestNLL), s.BestNLL), grid.Text(s.Best),
		accuracyOf(s.Test), nllOf(s.Test),
		grid.Whole(s.Rollbacks), grid.Figure(s.Hours, 1, 2), grid.Figure(s.StepSeconds, 1, 3),
	}
}

func accuracyOf(e *journal.Evaluation) grid.Cell {
	return shareOf(e, func(e *journal.Evaluation) *journal.Number { return &e.Accuracy })
}

func nllOf(e *journal.Evaluation) grid.Cell {
	if e == nil {
		return grid.Text("")
	}
	return grid.Figure(float64(e.NLL), 1, 3)
}

// shareOf is a share of an evaluation in percent.
func shareOf(e *journal.Evaluation, figure func(*journal.Evaluation) *journal.Number) grid.Cell {
	if e == nil || figure(e) == nil {
		return grid.Text("")
	}
	return grid.Figure(float64(*figure(e)), 100, 2)
}

// atStep adds the step of an evaluation to a cell.
func atStep(c grid.Cell, e *journal.Evaluation) grid.Cell {
	if e == nil {
		return c
	}
	return grid.Cell{Text: fmt.Sprintf("%s (%d)", c.Text, e.Step), Raw: append(c.Raw, fmt.Sprint(e.Step))}
}
