package experiments

import (
	"errors"
	"fmt"
	"slices"

	"jem/internal/checkpoint"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/rundir"
)

// Plan is what Reproduce would do.
type Plan struct {
	Scale   Scale     `json:"scale"`
	Label   string    `json:"label"`
	Tables  []string  `json:"experiments"`
	Runs    []Planned `json:"runs"` // in the order in which they are trained
	Hours   float64   `json:"hours"`
	Missing []string  `json:"missing"`
}

// Planned is a training of a plan.
type Planned struct {
	RunFact
	Taken   int      `json:"steps_taken"` // so far
	Seconds float64  `json:"seconds_step"`
	Rate    string   `json:"rate"`       // where that comes from: measured, estimated; "": not wanted
	Left    float64  `json:"hours_left"` // at that rate
	For     []string `json:"for"`        // experiments
}

// Estimates is how many of the runs have an estimated rate.
func (p *Plan) Estimates() (n int) {
	for _, r := range p.Runs {
		if r.Rate == rateEstimated {
			n++
		}
	}
	return n
}

// Plan lists what would be trained, with the time it takes on this machine, and what is
// missing.
func (l *Lab) Plan(list []Experiment) (*Plan, error) {
	p := &Plan{Scale: l.Scale, Label: l.Scale.Label()}
	for _, e := range list {
		p.Tables = append(p.Tables, e.ID)
	}
	trainings, err := Trainings(l.Scale, l.made, list)
	if err != nil {
		return nil, err
	}
	r, err := readRates(l)
	if err != nil {
		return nil, err
	}
	sets := map[string]bool{}
	for _, t := range trainings {
		run, err := l.planned(t, r)
		if err != nil {
			return nil, err
		}
		for _, e := range using(list, t) {
			run.For = append(run.For, e.ID)
		}
		p.Runs, p.Hours = append(p.Runs, run), p.Hours+run.Left
		sets[t.Config.Data.Name] = true
	}
	p.Missing, err = l.absent(sets, list)
	return p, err
}

func (l *Lab) planned(t Training, r *rates) (Planned, error) {
	fact, err := factOf(l, t)
	run := Planned{RunFact: fact}
	if err != nil || fact.State != stateNotRun {
		run.Taken = fact.Steps
		return run, err
	}
	entries, err := checkpoint.List(rundir.Path(t.path(l.Out)).Checkpoints())
	if err != nil {
		return run, err
	}
	if n := len(entries); n > 0 {
		run.Taken = entries[n-1].Step
	}
	found, source, err := r.of(l, t)
	if err != nil {
		return run, err
	}
	run.Rate, run.Seconds = source, found.seconds(t.Config)
	run.Left = run.Seconds * float64(max(0, run.Steps-run.Taken)) / 3600
	return run, nil
}

// absent lists the images and weights that a plan lacks.
func (l *Lab) absent(trained map[string]bool, list []Experiment) (missing []string, err error) {
	wanted := map[string]bool{}
	for _, e := range list {
		for _, set := range e.Sets {
			wanted[set] = true
		}
	}
	for name := range trained {
		wanted[name] = true
	}
	for _, listing := range data.List() {
		if !wanted[listing.Name] || listing.Drawn() {
			continue
		}
		files, err := data.Verify(listing.Name, l.DataDir)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if f.State == data.Absent && f.File.Split != data.Extra && (trained[listing.Name] || f.File.Split == data.Test) {
				missing = append(missing, fmt.Sprintf("%s: %s (jem data fetch %s)", listing.Name, f.File.Name, listing.Name))
			}
		}
		delete(wanted, listing.Name)
	}
	for set := range wanted {
		if set != "interp" && !l.has(set) {
			missing = append(missing, fmt.Sprintf("%s: a folder of pictures named %s or ood/%s in the data folder", set, set, set))
		}
	}
	if slices.ContainsFunc(list, func(e Experiment) bool { return e.Judged }) {
		switch _, err := inceptionWeights(l); {
		case errors.Is(err, fault.ErrMissing):
			missing = append(missing, data.InceptionName+": "+noInception)
		case err != nil:
			return nil, err
		}
	}
	slices.Sort(missing)
	return missing, nil
}
