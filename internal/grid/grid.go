// Package grid is a table of figures that is written for people, as text or Markdown, and for
// programs, as CSV with the digits that people are spared.
package grid

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
	"strings"

	"jem/internal/fault"
)

// Grid is a table.
type Grid struct {
	Columns []Column
	Rows    [][]Cell
	Notes   []string // sentences below it; CSV has none
}

// Column is one column for people, and for programs as many as it has names. Without a title it is for
// programs alone.
type Column struct {
	Title string
	Names []string
}

// Cell is what stands in a row.
type Cell struct {
	Text string   // for people
	Raw  []string // for programs, one for each of the column's names; missing ones are empty
}

// None stands where there is nothing.
const None = "-"

// Text is a cell that says the same to everyone.
func Text(s string) Cell {
	if s == "" {
		return Cell{Text: None}
	}
	return Cell{s, []string{s}}
}

// Whole is a cell with a number of things.
func Whole(n int) Cell { return Text(strconv.Itoa(n)) }

// Figure is a cell with a number times a scale, for people to so many digits.
func Figure(v, scale float64, digits int) Cell {
	if math.IsNaN(v) {
		return Cell{Text: "NaN", Raw: []string{"NaN"}}
	}
	return Cell{strconv.FormatFloat(v*scale, 'f', digits, 64), []string{exactly(v)}}
}

// Spread is a cell with a mean of several numbers and their standard deviation; of one alone there is none.
func Spread(mean, deviation float64, n int, scale float64, digits int) Cell {
	if n == 0 {
		return Cell{Text: None}
	}
	c := Figure(mean, scale, digits)
	if n > 1 {
		d := Figure(deviation, scale, digits)
		c.Text, c.Raw = c.Text+" ± "+d.Text, append(c.Raw, d.Raw...)
	}
	return c
}

// exactly is the shortest text that reads back as v.
func exactly(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// Lines are the head and the rows with tabs between cells, then the notes.
func (g Grid) Lines() []string {
	var lines []string
	for _, row := range g.texts() {
		lines = append(lines, strings.Join(row, "\t"))
	}
	if len(g.Notes) > 0 {
		lines = append(append(lines, ""), g.Notes...)
	}
	return lines
}

// texts are the titles and the rows as people see them.
func (g Grid) texts() [][]string {
	all := make([][]string, 1+len(g.Rows))
	for i, c := range g.Columns {
		if c.Title == "" {
			continue
		}
		all[0] = append(all[0], c.Title)
		for j, row := range g.Rows {
			all[j+1] = append(all[j+1], fault.Printable(row[i].Text))
		}
	}
	return all
}

// Markdown is the table in GitHub's form, the notes as paragraphs.
func (g Grid) Markdown() []byte {
	var b bytes.Buffer
	line := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + strings.ReplaceAll(c, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	rows := g.texts()
	line(rows[0])
	b.WriteString(strings.Repeat("|---", len(rows[0])) + "|\n")
	for _, row := range rows[1:] {
		line(row)
	}
	for _, n := range g.Notes {
		b.WriteString("\n" + n + "\n")
	}
	return b.Bytes()
}

// CSV has the columns by their names.
func (g Grid) CSV() ([]byte, error) {
	var names []string
	for _, c := range g.Columns {
		names = append(names, c.Names...)
	}
	rows := [][]string{names}
	for _, row := range g.Rows {
		var line []string
		for i, c := range row {
			for j := range g.Columns[i].Names {
				v := ""
				if j < len(c.Raw) {
					v = plain(c.Raw[j])
				}
				line = append(line, v)
			}
		}
		rows = append(rows, line)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

// plain is a cell that no spreadsheet takes for a formula.
func plain(cell string) string {
	cell = fault.Printable(cell)
	if _, err := strconv.ParseFloat(cell, 64); err != nil && cell != "" && strings.Contains("=+-@", cell[:1]) {
		return "'" + cell
	}
	return cell
}
