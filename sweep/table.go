package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/stat"

	"jem/internal/durable"
	"jem/internal/grid"
	"jem/train/journal"
)

// Result is what a sweep has come to: sweep.json.
type Result struct {
	Note  string  `json:"note"`
	Cases []Cased `json:"cases"`

	paths []string
}

// Cased is a case with its runs and their figures.
type Cased struct {
	Planned
	Figures map[string]Spread `json:"figures"` // over the runs that are done
	Runs    []Standing        `json:"runs"`
}

// Standing is how a run stands, and what it has come to.
type Standing struct {
	journal.Standing
	Seed uint64 `json:"seed"`
	ending
}

// Spread is a figure over seeds.
type Spread struct {
	Mean      journal.Number  `json:"mean"`
	Deviation *journal.Number `json:"deviation"` // sample standard deviation; nil of one seed
	Seeds     int             `json:"seeds"`
}

// note says what the figures are.
const note = "means ± standard deviations over seeds, of held-out images: nothing is to be chosen on test images, so none are shown here"

// figures are the columns, of a run that is done.
var figures = []struct {
	name, title   string
	scale         float64
	digits        int
	of            func(journal.Standing) *journal.Number
	withoutImages bool // not of held-out images
}{
	{"accuracy", "ACC %", 100, 2, last(func(e *journal.Evaluation) *journal.Number { return &e.Accuracy }), false},
	{"nll", "NLL", 1, 3, last(func(e *journal.Evaluation) *journal.Number { return &e.NLL }), false},
	{"ece", "ECE %", 100, 2, last(func(e *journal.Evaluation) *journal.Number { return e.ECE }), false},
	{"mean_confidence", "CONF %", 100, 2, last(func(e *journal.Evaluation) *journal.Number { return e.Confidence }), false},
	{"best_accuracy", "BEST ACC %", 100, 2, func(s journal.Standing) *journal.Number { return &s.BestAccuracy.Accuracy }, false},
	{"best_nll", "BEST NLL", 1, 3, func(s journal.Standing) *journal.Number { return &s.BestNLL.NLL }, false},
	{"best_nll_step", "AT STEP", 1, 0, func(s journal.Standing) *journal.Number { return number(float64(s.BestNLL.Step)) }, false},
	{"rollbacks", "ROLLBACKS", 1, 1, func(s journal.Standing) *journal.Number { return number(float64(s.Rollbacks)) }, true},
	{"steps", "STEPS", 1, 0, func(s journal.Standing) *journal.Number { return number(float64(s.Step)) }, true},
	{"hours", "HOURS", 1, 2, func(s journal.Standing) *journal.Number { return number(s.Hours) }, true},
	{"step_seconds", "S/STEP", 1, 3, func(s journal.Standing) *journal.Number { return number(s.StepSeconds) }, true},
}

func number(v float64) *journal.Number { n := journal.Number(v); return &n }

// last is a figure of the last evaluation.
func last(of func(*journal.Evaluation) *journal.Number) func(journal.Standing) *journal.Number {
	return func(s journal.Standing) *journal.Number { return of(s.Last) }
}

// Result reads what the runs have come to.
func (s *Sweep) Result() (Result, error) {
	r := Result{Note: note, paths: s.plan.Paths}
	for _, p := range s.plan.Cases {
		c := Cased{Planned: p, Runs: []Standing{}}
		for _, run := range p.Runs {
			one := Standing{Standing: journal.Standing{Run: run.Name, Folder: s.path(run)}, Seed: run.Seed, ending: s.state(run)}
			if journal.IsRun(s.path(run)) {
				var err error
				if one.Standing, _, err = journal.Stand(s.path(run)); err != nil { // its own start told what couldn't be read
					return r, err
				}
				one.forgetTests()
			}
			c.Runs = append(c.Runs, one)
		}
		c.sum()
		r.Cases = append(r.Cases, c)
	}
	return r, nil
}

// forgetTests leaves out what was measured on test images.
func (s *Standing) forgetTests() {
	if s.Test = nil; s.Split != "valid" {
		s.Last, s.BestAccuracy, s.BestNLL = nil, nil, nil
	}
}

// sum takes the means of the runs that are done.
func (c *Cased) sum() {
	c.Figures = map[string]Spread{}
	for _, f := range figures {
		var values []float64
		for _, r := range c.Runs {
			if r.State != Done || !f.withoutImages && r.Last == nil {
				continue
			}
			if v := f.of(r.Standing); v != nil {
				values = append(values, float64(*v))
			}
		}
		if len(values) == 0 {
			continue
		}
		mean, deviation := stat.MeanStdDev(values, nil)
		spread := Spread{Mean: journal.Number(mean), Seeds: len(values)}
		if len(values) > 1 {
			spread.Deviation = number(deviation)
		}
		c.Figures[f.name] = spread
	}
}

// states says in words how the runs stand.
func (c *Cased) states() string {
	count, why := map[string]int{}, map[string]string{}
	for _, r := range c.Runs {
		if count[r.State]++; count[r.State] == 1 {
			why[r.State] = r.Why
		}
	}
	if count[Done] == len(c.Runs) {
		return Done
	}
	var parts []string
	for _, state := range []string{Done, Diverged, Failed, Unfinished, Waiting} {
		if count[state] == 0 {
			continue
		}
		text := fmt.Sprintf("%d %s", count[state], state)
		if why[state] != "" {
			text += ": " + strings.ReplaceAll(why[state], "\n", "; ")
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// unheld are the runs that are done and held no images out, so that they have no figures.
func (r Result) unheld() (runs []string) {
	for _, c := range r.Cases {
		for _, one := range c.Runs {
			if one.State == Done && one.Split != "valid" {
				runs = append(runs, one.Run)
			}
		}
	}
	return runs
}

// Grid is the result as a table, a row for each case.
func (r Result) Grid() grid.Grid {
	g := grid.Grid{Columns: []grid.Column{{Title: "CASE", Names: []string{"case"}}}, Notes: []string{r.Note}}
	if runs := r.unheld(); len(runs) > 0 {
		g.Notes = append(g.Notes, "no figures of runs that hold no images out (data.valid, data.valid_share): "+strings.Join(runs, ", "))
	}
	for _, p := range r.paths {
		g.Columns = append(g.Columns, grid.Column{Names: []string{p}}) // for people the case's name tells them
	}
	g.Columns = append(g.Columns, grid.Column{Title: "SEEDS", Names: []string{"seeds_done", "seeds"}})
	for _, f := range figures {
		g.Columns = append(g.Columns, grid.Column{Title: f.title, Names: []string{f.name, f.name + "_sd"}})
	}
	g.Columns = append(g.Columns, grid.Column{Title: "STATE", Names: []string{"state"}})
	for _, c := range r.Cases {
		row := []grid.Cell{grid.Text(c.Name)}
		for _, p := range r.paths {
			row = append(row, grid.Text(fmt.Sprint(c.Settings[p])))
		}
		row = append(row, c.seeds())
		for _, f := range figures {
			s, deviation := c.Figures[f.name], 0.0
			if s.Deviation != nil {
				deviation = float64(*s.Deviation)
			}
			row = append(row, grid.Spread(float64(s.Mean), deviation, s.Seeds, f.scale, f.digits))
		}
		g.Rows = append(g.Rows, append(row, grid.Text(c.states())))
	}
	return g
}

// seeds is how many runs are done, of how many.
func (c *Cased) seeds() grid.Cell {
	done := 0
	for _, r := range c.Runs {
		if r.State == Done {
			done++
		}
	}
	cell := grid.Cell{Text: fmt.Sprint(done), Raw: []string{fmt.Sprint(done), fmt.Sprint(len(c.Runs))}}
	if done < len(c.Runs) {
		cell.Text += fmt.Sprintf(" of %d", len(c.Runs))
	}
	return cell
}

// write writes the table.
func (s *Sweep) write() error {
	r, err := s.Result()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return err
	}
	csv, err := r.Grid().CSV()
	return errors.Join(err, s.put("sweep.json", b.Bytes()), s.put("sweep.csv", csv), s.put("sweep.md", r.Grid().Markdown()))
}

func (s *Sweep) put(name string, text []byte) error {
	return durable.WriteFile(filepath.Join(s.o.Folder, name), text)
}
