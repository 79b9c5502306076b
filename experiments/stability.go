package experiments

import (
	"fmt"
	"slices"

	"jem/internal/chart"
	"jem/internal/rundir"
	"jem/train/journal"
)

// stability counts divergences by recipe, which nobody has published.
func stability() Experiment {
	e := Experiment{ID: "stability", Title: "Stability: which recipe diverges, and when", Where: "no table of the paper; its appendix speaks of restarts"}
	for _, r := range stabilityRuns() {
		e.Runs = append(e.Runs, r.Name)
	}
	e.Build = func(l *Lab) (*Result, error) {
		t, err := tableOf(l, stabilityTable())
		if err != nil {
			return nil, err
		}
		successors, err := tableOf(l, exposedTable())
		if err != nil {
			return nil, err
		}
		whole, err := tableOf(l, wholeTable())
		if err != nil {
			return nil, err
		}
		r := &Result{Tables: []Table{t, successors, whole}, Protocol: []string{
			fmt.Sprintf("%d seeds a recipe. A step counts as diverged when loss, log p(x), gradient or chains leave the guard's limits, which stops it before the weights change; "+
				"the run then goes back to its last checkpoint with new random numbers, at an unchanged rate, and gives up at the fourth time.", stabilitySeeds),
			"Without a divergence the first one is counted as one step after the last.",
			"Successors keep what makes them: starts, moves, balls and terms. They lose what our presets add: the penalty on log p(x)², the bound on the gradient's norm, the gentle rate and the low weight of log p(x).",
		}}
		chart, err := gapChart(l)
		if err != nil {
			return nil, err
		}
		if len(chart.Lines) > 0 {
			r.Charts = []Chart{chart}
		}
		for _, name := range []string{"proximal", "start", "penalty", "all"} {
			r.Claims = append(r.Claims, less("fewer divergences than the published recipe: "+name, t.at(name, "count"), t.at("published", "count"), "%.1f"))
		}
		for _, s := range successorsExposed() {
			r.Claims = append(r.Claims, less("fewer divergences than the published recipe: "+s.name, successors.at(s.name, "count"), t.at("published", "count"), "%.1f"))
		}
		return r, nil
	}
	return e
}

func stabilityTable() definition {
	return endedTable("Divergences, mean ± deviation over seeds", "Each recipe is the published one with the change named.", recipes())
}

func exposedTable() definition {
	return endedTable("Divergences of JEM's successors without what protects them", "", successorsExposed())
}

// wholeTable counts the divergences of the table of recipes, whose trainings are long and protected.
func wholeTable() definition {
	d := endedTable("Divergences of whole trainings, as the presets are", "The trainings of jem reproduce recipes.", nil)
	d.rows = successorRows()
	return d
}

// endedTable says of recipes how their trainings ended.
func endedTable(title, caption string, of []recipe) definition {
	d := definition{
		title:   title,
		caption: caption,
		columns: []Column{
			{Key: "diverged", Title: "seeds that diverged, %", Percent: true},
			{Key: "first", Title: "step of the first divergence", Digits: 0},
			{Key: "count", Title: "divergences", Digits: 1},
			{Key: "ended", Title: "seeds that came to the end, %", Percent: true},
			{Key: "accuracy", Title: "accuracy at the end, %", Digits: 1, Percent: true},
		},
		figure: func(l *Lab, t Training, _ line, col Column) (reading, error) { return endedFigure(l, t, col.Key) },
	}
	for _, r := range of {
		d.rows = append(d.rows, line{label: r.name, run: "stability-" + r.name})
	}
	return d
}

// endedFigure is a figure of how a training ended.
func endedFigure(l *Lab, t Training, key string) (reading, error) {
	o, err := l.ended(t)
	if err != nil {
		return reading{}, err
	}
	v, err := o.stability(key, totalSteps(t.Config))
	return plain(v), err
}

// stability is a figure of a run that has ended.
func (o Outcome) stability(key string, total int) (float64, error) {
	yes := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	switch key {
	case "diverged":
		return yes(len(o.Rollbacks) > 0), nil
	case "first":
		if len(o.Rollbacks) == 0 {
			return float64(total + 1), nil
		}
		return float64(o.firstDivergence()), nil
	case "count":
		return float64(len(o.Rollbacks)), nil
	case "ended":
		return yes(o.Diverged == ""), nil
	}
	if o.Diverged != "" {
		return 0, notRun("%s gave up", o.Run)
	}
	return o.Valid.Accuracy, nil
}

// gapChart draws f(x⁺) − f(x⁻) of each recipe's first seed.
func gapChart(l *Lab) (Chart, error) {
	c := Chart{Caption: "Up to the first divergence. Near zero samples are as likely as data.", Chart: chart.Chart{
		Title: "f(x⁺) − f(x⁻), seed 1", XLabel: "step", YLabel: "nats",
	}}
	for _, r := range recipes() {
		if !slices.Contains([]string{"published", "rate", "proximal", "start", "penalty", "all"}, r.name) {
			continue // a chart has six colours
		}
		t, err := firstTraining(l, "stability-"+r.name)
		if err != nil {
			return c, err
		}
		if _, ended, err := l.outcome(t); !ended || err != nil {
			if err != nil {
				return c, err
			}
			continue
		}
		records, _, err := journal.ReadHistory(rundir.Path(t.path(l.Out)))
		if err != nil {
			return c, err
		}
		line := chart.Line{Name: r.name}
		for _, at := range records {
			if at.Kind == journal.KindRollback {
				break
			}
			if at.Kind == journal.KindTrain {
				line.Add(float64(at.Step), at.Values["gap"])
			}
		}
		c.Lines = append(c.Lines, line)
	}
	return c, nil
}
