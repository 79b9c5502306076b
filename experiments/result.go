package experiments

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/chart"
	"jem/internal/durable"
)

// Result is what an experiment came to.
type Result struct {
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Where    string    `json:"where"` // in the paper
	Scale    Scale     `json:"scale"`
	Label    string    `json:"label"` // what the scale means for the numbers
	Command  string    `json:"command"`
	Claims   []Claim   `json:"claims,omitempty"`
	Tables   []Table   `json:"tables"`
	Protocol []string  `json:"protocol"`
	Runs     []RunFact `json:"runs"`

	Panels   *Panels   `json:"-"` // what tells the whole at one look; nil: nothing
	Charts   []Chart   `json:"-"`
	Pictures []Picture `json:"-"`
}

// RunFact is a training that a result rests on.
type RunFact struct {
	Run      string   `json:"run"`
	About    string   `json:"about"`
	Folder   string   `json:"folder"`
	Seed     uint64   `json:"seed"`
	Data     string   `json:"data"`
	Network  string   `json:"network"`
	Recipe   string   `json:"recipe"`  // the preset
	Options  []string `json:"options"` // what differs from it
	Steps    int      `json:"steps"`
	SGLD     int      `json:"sgld_steps"` // 0: none
	State    string   `json:"state"`      // trained, diverged, not run yet
	Hours    float64  `json:"hours"`
	Device   string   `json:"device,omitempty"`
	CPU      string   `json:"cpu,omitempty"`
	Restarts int      `json:"rollbacks"`
	Notes    []string `json:"notes,omitempty"`
}

// Chart is a plot with the end of its file's name.
type Chart struct {
	Name    string
	Caption string
	chart.Chart
}

// Panels are several plots in one picture, the result's first; its file is named as the experiment.
type Panels struct {
	Caption string
	chart.Panels
}

// Picture is a PNG with the end of its file's name.
type Picture struct {
	Name, Title, Caption string
	PNG                  []byte
}

// notes are the protocol with what every result has to say.
func (r *Result) notes() []string {
	all := slices.Clone(r.Protocol)
	if len(r.Claims) > 0 {
		all = append(all, howVerdictsAreMade)
	}
	if slices.ContainsFunc(r.Tables, Table.quotes) {
		all = append(all, quotesAreUnread)
	}
	return all
}

// describe fills in what every result says of itself.
func describe(l *Lab, e Experiment, r *Result) error {
	r.ID, r.Title, r.Where, r.Scale, r.Label = e.ID, e.Title, e.Where, l.Scale, l.Scale.Label()
	r.Command = fmt.Sprintf("jem reproduce --scale %s %s", l.Scale, e.ID)
	if l.made {
		r.Label += " Images are generated, not the published ones."
	}
	for _, name := range e.Runs {
		trainings, err := lookup(name).trainings(l.Scale, l.made)
		if err != nil {
			return err
		}
		for _, t := range trainings {
			fact, err := factOf(l, t)
			if err != nil {
				return err
			}
			r.Runs = append(r.Runs, fact)
		}
	}
	return nil
}

func factOf(l *Lab, t Training) (RunFact, error) {
	differences, err := t.differences()
	if err != nil {
		return RunFact{}, err
	}
	o, ended, err := l.outcome(t)
	f := RunFact{
		Run: t.Run.Name, About: t.Run.About, Folder: filepath.Base(t.path(l.Out)), Seed: t.Seed, Data: t.Config.Data.Name, Network: t.Network(),
		Recipe: t.Run.preset(t.Scale), Options: differences, Steps: totalSteps(t.Config), State: stateNotRun,
	}
	if t.samples() {
		f.SGLD = t.Config.Sampler.Steps
	}
	if !ended || err != nil {
		return f, err
	}
	f.State, f.Steps, f.Hours, f.Device, f.CPU, f.Restarts, f.Notes = stateTrained, o.Steps, o.Hours, o.Device, o.CPU, len(o.Rollbacks), o.Notes
	if o.Diverged != "" {
		f.State = stateDiverged
	}
	return f, nil
}

// Write writes the result's files into the folder tables below out: ID.md, .json, .csv and
// .html, and its plots and pictures.
func (r *Result) Write(out string) error {
	dir := filepath.Join(out, "tables")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files, err := r.files()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := durable.WriteFile(filepath.Join(dir, f.name), f.content); err != nil {
			return err
		}
	}
	return nil
}

// file is a file to write.
type file struct {
	name    string
	content []byte
}

func (r *Result) files() ([]file, error) {
	var all []file
	draw := func(name string, d interface {
		PNG() ([]byte, error)
		SVG() ([]byte, error)
	}) error {
		png, err1 := d.PNG()
		svg, err2 := d.SVG()
		all = append(all, file{r.file(name, "svg"), svg}, file{r.file(name, "png"), png})
		return errors.Join(err1, err2)
	}
	if r.Panels != nil {
		if err := draw("", r.Panels); err != nil {
			return nil, err
		}
	}
	for _, c := range r.Charts {
		if err := draw(c.Name, c); err != nil {
			return nil, err
		}
	}
	for _, p := range r.Pictures {
		all = append(all, file{r.file(p.Name, "png"), p.PNG})
	}
	for _, kind := range []struct {
		ending string
		make   func() ([]byte, error)
	}{{"json", r.json}, {"csv", r.csv}, {"md", r.markdown}, {"html", r.page}} {
		content, err := kind.make()
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", r.ID, kind.ending, err)
		}
		all = append(all, file{r.ID + "." + kind.ending, content})
	}
	return all, nil
}

// file is the name of a picture's file.
func (r *Result) file(name, ending string) string {
	return strings.TrimSuffix(r.ID+"-"+name, "-") + "." + ending
}

// The states of a training in results.
const (
	stateTrained  = "trained"
	stateDiverged = "diverged"
	stateNotRun   = "not run yet"
)
