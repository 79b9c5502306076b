package experiments

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// number writes a figure in its column's digits.
func (c Column) number(v float64) string { return strconv.FormatFloat(v, 'f', c.Digits, 64) }

// text is a cell for people: ours ± spread (paper's, difference).
func (c Cell) text(col Column) string {
	if c.Ours == nil {
		switch {
		case c.Paper != nil && c.Missing == reported:
			return "(" + col.number(c.Paper.Value) + ")"
		case c.Paper != nil:
			return "not run (" + col.number(c.Paper.Value) + ")"
		case c.Missing == reported:
			return "–"
		}
		return "not run"
	}
	s := col.number(*c.Ours)
	if c.Seeds > 1 {
		s += " ± " + col.number(c.Spread)
	}
	if c.Note != "" {
		s += " (" + c.Note + ")"
	}
	if d, ok := c.Difference(); ok {
		s += fmt.Sprintf(" (%s, %s)", col.number(c.Paper.Value), signed(d, col.Digits))
	}
	return s
}

// grid is a table as rows of text, the head first.
func (t Table) grid() [][]string {
	head := []string{"row"}
	for _, c := range t.Columns {
		head = append(head, c.Title)
	}
	all := [][]string{append(head, "steps", "seeds")}
	for _, r := range t.Rows {
		cells, seeds := []string{r.Label}, 0
		for i, c := range r.Cells {
			cells, seeds = append(cells, c.text(t.Columns[i])), max(seeds, c.Seeds)
		}
		count := ""
		if r.Run != "" {
			count = strconv.Itoa(r.Steps)
		}
		all = append(all, append(cells, count, some(seeds)))
	}
	return all
}

// some writes a count, nothing for 0.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// missing lists why figures are not there, each reason once with the number of its cells,
// those of other systems apart.
func (t Table) missing() []string {
	var reasons []string
	count := map[string]int{}
	for _, r := range t.Rows {
		for _, c := range r.Cells {
			if c.Ours != nil || c.Missing == reported {
				continue
			}
			if count[c.Missing] == 0 {
				reasons = append(reasons, c.Missing)
			}
			count[c.Missing]++
		}
	}
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%s (%d cells)", reason, count[reason])
	}
	return reasons
}

// csv has a line for each cell.
func (r *Result) csv() ([]byte, error) {
	rows := [][]string{{"experiment", "scale", "table", "row", "column", "ours", "spread", "paper", "difference", "missing", "source", "certainty", "run", "steps", "seeds", "device", "hours"}}
	for _, t := range r.Tables {
		for _, row := range t.Rows {
			device, hours := r.made(row.Run)
			for i, c := range row.Cells {
				col := t.Columns[i]
				line := []string{r.ID, string(r.Scale), t.Title, row.Label, col.Title, "", "", "", "", c.Missing, "", "", row.Run, some(row.Steps), some(c.Seeds), device, hours}
				if c.Ours != nil {
					line[5], line[6] = exactly(*c.Ours), exactly(c.Spread)
				}
				if c.Paper != nil {
					line[7], line[10], line[11] = exactly(c.Paper.Value), c.Paper.Source, c.Paper.Certainty
				}
				if d, ok := c.Difference(); ok {
					line[8] = exactly(d)
				}
				rows = append(rows, line)
			}
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

// made is the device that a run was trained on, and its hours over all seeds.
func (r *Result) made(run string) (device, hours string) {
	total := 0.0
	for _, f := range r.Runs {
		if f.Run == run && f.State != stateNotRun {
			device, total = f.Device, total+f.Hours
		}
	}
	if device == "" {
		return "", ""
	}
	return device, strconv.FormatFloat(total, 'f', 3, 64)
}

// exactly is the shortest text that reads back as v, without the noise of ·100.
func exactly(v float64) string { return strconv.FormatFloat(v, 'g', 10, 64) }

func (r *Result) json() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(r)
	return b.Bytes(), err
}

// signed writes a difference with its sign, a true minus.
func signed(v float64, digits int) string {
	return strings.ReplaceAll(fmt.Sprintf("%+.*f", digits, v), "-", "−")
}
