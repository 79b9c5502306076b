package experiments

import (
	"errors"
	"math"
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
	Ours    *float64 `json:"ours"`             // mean over the seeds, in the column's unit
	Spread  float64  `json:"spread,omitempty"` // sample standard deviation over the seeds
	Seeds   int      `json:"seeds,omitempty"`
	Missing string   `json:"missing,omitempty"` // why there is no figure
	Paper   *Quote   `json:"paper,omitempty"`
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
	figure         func(l *Lab, t Training, row line, col Column) (float64, error)
}

// line is a row before it has been measured.
type line struct {
	label string
	run   string // name of a run; empty: reported by the paper
	arg   string // for the table's figure
	k     int    // refinement steps
	paper quoteRow
}

// reported is the reason for a missing figure of another system.
const reported = "reported by the paper, not trained here"

// table measures a definition.
func (l *Lab) table(d definition) (Table, error) {
	t := Table{Title: d.title, Caption: d.caption, Columns: d.columns}
	for _, from := range d.rows {
		row, err := l.row(d, from)
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

func (l *Lab) row(d definition, from line) (Row, error) {
	row := Row{Label: from.label, Run: from.run}
	var trainings []Training
	if from.run != "" {
		var err error
		if trainings, err = lookup(from.run).trainings(l.Scale, l.made); err != nil {
			return row, err
		}
		row.Steps = totalSteps(trainings[0].Config)
	}
	for _, col := range d.columns {
		cell, err := l.cell(d, from, col, trainings)
		if err != nil {
			return row, err
		}
		row.Cells = append(row.Cells, cell)
	}
	return row, nil
}

func (l *Lab) cell(d definition, from line, col Column, trainings []Training) (Cell, error) {
	c := Cell{}
	if q, known := from.paper[col.Key]; known {
		c.Paper = &q
	}
	if from.run == "" {
		c.Missing = reported
		return c, nil
	}
	var values []float64
	for _, t := range trainings {
		v, err := d.figure(l, t, from, col)
		var absent *NotRun
		switch {
		case errors.As(err, &absent):
			c.Missing = absent.Error()
			return c, nil
		case err != nil:
			return c, err
		case math.IsNaN(v) || math.IsInf(v, 0):
			c.Missing = "not a finite number"
			return c, nil
		}
		if col.Percent {
			v *= 100
		}
		values = append(values, v)
	}
	mean, spread := meanSpread(values)
	c.Ours, c.Spread, c.Seeds = &mean, spread, len(values)
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

// at finds a figure of a table by row and column, nil where there is none.
func (t Table) at(label, key string) *float64 {
	for _, r := range t.Rows {
		for i, c := range t.Columns {
			if r.Label == label && c.Key == key {
				return r.Cells[i].Ours
			}
		}
	}
	return nil
}
