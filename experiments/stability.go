package experiments

import (
	"fmt"
	"slices"

	"jem/internal/chart"
	"jem/internal/rundir"
	"jem/train/journal"
)

// recipe is one way to train that the stability study compares.
type recipe struct {
	name   string
	about  string
	preset string // of a successor, in the place of the scale's own
	set    []string
	paper  []string // instead at full scale, where the published rate and number of SGLD steps are others
}

// unprotected takes away what keeps the small scales' recipe stable: what is left is the
// published sampler and objective, at small scales with a rate that shows its weakness within a
// hundred steps.
func unprotected() []string {
	return []string{"objective.p_x=1", "objective.l2=0", "sampler.grad_clip=0", "sampler.clamp=false", "sampler.start=uniform",
		"optim.clip_norm=0", "optim.cosine=false", "optim.warmup=0", "optim.lr=1e-3"}
}

// exposed takes from a successor what is no part of its idea: penalty, bound on the gradient's norm,
// gentle rate and low weight of log p(x). Its chains, balls and terms are its own.
func exposed() []string {
	return []string{"objective.l2=0", "optim.clip_norm=0", "optim.cosine=false", "optim.warmup=0", "optim.lr=1e-3"}
}

// successorsExposed are JEM's successors and their control, as bare as the published recipe.
func successorsExposed() []recipe {
	return []recipe{
		{name: "jempp", preset: "jempp", about: "JEM++: proximal SGLD without noise, K = 10", set: []string{"objective.p_x=1"}},
		{name: "sada-jem", preset: "sada-jem", about: "SADA-JEM: clean log p(x), sharpness-aware", set: []string{"objective.p_x=1", "train.schedule="}},
		{name: "eb-jdat", preset: "eb-jdat", about: "EB-JDAT: that with attacked images, without sharpness", set: []string{"objective.p_x=1", "train.schedule="}},
		{name: "dat", preset: "dat", about: "DAT: bounded loss, dreams by curriculum"},
		{name: "at", preset: "at", about: "adversarial training alone"},
	}
}

// recipes are the published one and each stabiliser alone, then all.
func recipes() []recipe {
	return []recipe{
		{name: "published", about: "uniform start, weight 1, no clip, no clamp"},
		{name: "rate", about: "a tenth of the learning rate", set: []string{"optim.lr=1e-4"}, paper: []string{"optim.lr=1e-5"}},
		{name: "steps", about: "twice the SGLD steps", set: []string{"sampler.steps=10"}, paper: []string{"sampler.steps=40"}},
		{name: "noise", about: "pixel noise 0.1", set: []string{"data.noise=0.1"}},
		{name: "proximal", about: "SGLD gradient clip and pixel clamp (JEM++)", set: []string{"sampler.grad_clip=1", "sampler.clamp=true"}},
		{name: "start", about: "Gaussian start (JEM++)", set: []string{"sampler.start=gaussian"}},
		{name: "penalty", about: "0.1·mean log p(x)²", set: []string{"objective.l2=0.1"}},
		{name: "clip-norm", about: "gradient norm at most 3", set: []string{"optim.clip_norm=3"}},
		{name: "all", about: "all of them but rate, steps and noise", set: []string{"sampler.grad_clip=1", "sampler.clamp=true", "sampler.start=gaussian", "objective.l2=0.1", "optim.clip_norm=3"}},
	}
}

// stabilitySeeds is how often each recipe is trained.
const stabilitySeeds = 2

// stabilityRuns are short: divergence of the published recipe comes early at these rates.
func stabilityRuns() []Run {
	var all []Run
	for _, r := range recipes() {
		all = append(all, stabilityRun(r, unprotected(), Run{
			Smoke: []string{steps(20), "train.save_every=5"},
			Paper: []string{fmt.Sprintf("optim.lr=%g", paperRate), "optim.warmup=1000", steps(5000), "train.save_every=500", "train.eval_every=5000", "train.sample_every=5000"},
		}))
	}
	for _, r := range successorsExposed() {
		all = append(all, stabilityRun(r, exposed(), Run{
			Recipe: r.preset,
			Smoke:  append(tiny(20), "train.save_every=5"),
			// The published settings are bare enough.
			Paper: []string{steps(5000), "train.save_every=500", "train.eval_every=5000", "train.sample_every=5000"},
		}))
	}
	return all
}

// stabilityRun completes the run of a recipe without its protection.
func stabilityRun(r recipe, bare []string, run Run) Run {
	run.Name, run.About, run.Seeds = "stability-"+r.name, r.about, stabilitySeeds
	run.Set = with(bare, append([]string{"train.save_every=20", "train.log_every=2", "guard.budget=3", "guard.lr_factor=1", "optim.ema=0"}, r.set...)...)
	run.Small = []string{steps(100), "data.valid=1000", "train.sample_every=100", "train.eval_every=100"}
	run.Paper = append(run.Paper, r.paper...)
	return run
}

// paperRate is the published learning rate: the paper's instability is seen at it.
const paperRate = 1e-4

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
