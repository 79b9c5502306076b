package experiments

import (
	"errors"
	"math"
	"slices"
	"strings"
)

// Table is a table of results.
type Table struct {
	Title   string   `json:"title"`
	Caption string   `json:"caption,omitempty"`
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
}

// Column is a figure that a table shows of each row.
type Column struct {
	Key    string `json:"key"`
	Title  string `json:"title"`
	Digits int    `json:"digits"` // after the point
	// Percent: the figure is a share in [0,1], shown and quoted in per cent.
	Percent bool   `json:"percent,omitempty"`
	Arg     string `json:"-"` // for the table's figure
}

// Row is what was found of one system.
type Row struct {
	Label string `json:"label"`
	Run   string `json:"run,omitempty"` // empty: another system, reported by the paper only
	Steps int    `json:"steps,omitempty"`
	Cells []Cell `json:"cells"` // by column
}

// Cell is one figure beside the paper's.
type Cell struct {
	Ours   *float64 `json:"ours"`             // mean over the seeds, in the column's unit
	Spread float64  `json:"spread,omitempty"` // sample standard deviation over the seeds
	Seeds  int      `json:"seeds,omitempty"`
	// Error is the standard error that comes from the number of images, in the column's unit;
	// 0: not known. What another seed would change is not in it.
	Error   float64 `json:"standard_error,omitempty"`
	Note    string  `json:"note,omitempty"`    // a word that belongs to the figure
	Missing string  `json:"missing,omitempty"` // why there is no figure
	Paper   *Quote  `json:"paper,omitempty"`
}

// Difference is ours less the paper's, if there are both.
func (c Cell) Difference() (d float64, ok bool) {
	if c.Ours == nil || c.Paper == nil {
		return 0, false
	}
	return *c.Ours - c.Paper.Value, true
}

// definition is a table as data, and how its figures are computed.
type definition struct {
	title, caption string
	columns        []Column
	rows           []line
	figure         func(l *Lab, t Training, row line, col Column) (reading, error)
}

// reading is a figure with its standard error for want of more images; 0: not known.
type reading struct {
	value, deviation float64
	note             string // see Cell
}

// plain is a figure whose error is not known.
func plain(v float64) reading { return reading{value: v} }

// share is a share of n images, or an AUROC of sets of at least so many.
func share(v float64, n int) reading { return reading{value: v, deviation: binomial(v, n)} }

// binomial is the standard error of a share v of n images, and a bound on that of an AUROC v
// whose smaller set has n (van Dantzig 1951).
func binomial(v float64, n int) float64 { return math.Sqrt(v * (1 - v) / float64(n)) }

// line is a row before it has been measured.
type line struct {
	label string
	run   string // name of a run; empty: reported by the paper
	arg   string // for the table's figure
	k     int    // refinement steps
	seeds int    // the first so many; 0: all
	paper quoteRow
}

// reported is the reason for a missing figure of another system.
const reported = "reported by the paper, not trained here"

// tableOf measures a definition.
func tableOf(l *Lab, d definition) (Table, error) {
	t := Table{Title: d.title, Caption: d.caption, Columns: d.columns}
	for _, from := range d.rows {
		row, err := rowOf(l, d, from)
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func rowOf(l *Lab, d definition, from line) (Row, error) {
	row := Row{Label: from.label, Run: from.run}
	var trainings []Training
	if from.run != "" {
		var err error
		if trainings, err = lookup(from.run).trainings(l.Scale, l.made); err != nil {
			return row, err
		}
		if from.seeds > 0 {
			trainings = trainings[:from.seeds]
		}
		row.Steps = totalSteps(trainings[0].Config)
	}
	for _, col := range d.columns {
		cell, err := cellOf(l, d, from, col, trainings)
		if err != nil {
			return row, err
		}
		row.Cells = append(row.Cells, cell)
	}
	return row, nil
}

func cellOf(l *Lab, d definition, from line, col Column, trainings []Training) (Cell, error) {
	c := Cell{}
	if q, known := from.paper[col.Key]; known {
		c.Paper = &q
	}
	if from.run == "" {
		c.Missing = reported
		return c, nil
	}
	var values []float64
	variance := 0.0
	for _, t := range trainings {
		f, err := d.figure(l, t, from, col)
		var absent *NotRun
		switch {
		case errors.As(err, &absent):
			c.Missing = absent.Error()
			return c, nil
		case err != nil:
			return c, err
		case math.IsNaN(f.value) || math.IsInf(f.value, 0):
			c.Missing = "not a finite number"
			return c, nil
		}
		if col.Percent {
			f.value, f.deviation = 100*f.value, 100*f.deviation
		}
		c.Note = f.note
		values, variance = append(values, f.value), variance+f.deviation*f.deviation
	}
	mean, spread := meanSpread(values)
	c.Ours, c.Spread, c.Seeds = &mean, spread, len(values)
	c.Error = math.Sqrt(variance) / float64(len(values))
	return c, nil
}

// meanSpread is the mean and the sample standard deviation; 0 for a single value.
func meanSpread(values []float64) (mean, spread float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	if len(values) < 2 {
		return mean, 0
	}
	for _, v := range values {
		spread += (v - mean) * (v - mean) / float64(len(values)-1)
	}
	return mean, math.Sqrt(spread)
}

// at finds a cell of a table by row and column, an empty one where there is none.
func (t Table) at(label, key string) Cell {
	for _, r := range t.Rows {
		for i, c := range t.Columns {
			if r.Label == label && c.Key == key {
				return r.Cells[i]
			}
		}
	}
	return Cell{}
}

// quotes reports whether any cell has a number of the paper.
func (t Table) quotes() bool {
	return slices.ContainsFunc(t.Rows, func(r Row) bool {
		return slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.Paper != nil })
	})
}

// legend says what cells show.
func (t Table) legend() string {
	if t.quotes() {
		return strings.TrimSpace("Ours (the paper's, difference). " + t.Caption)
	}
	return t.Caption
}
