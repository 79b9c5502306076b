package experiments

import (
	"fmt"

	"jem/eval/robust"
	"jem/predict"
)

// attacks asks whether PGD overstates robustness: the appendix's checks, with today's attacks.
func attacks() Experiment {
	return Experiment{
		ID: "attacks", Title: "Further attacks: stronger gradients, none at all, another network's", Where: "Grathwohl et al. 2020, appendix on attacks (transfer, gradient-free)",
		Runs: []string{runJEM, runBaseline},
		Build: func(l *Lab) (*Result, error) {
			t, err := tableOf(l, furtherAttacks())
			if err != nil {
				return nil, err
			}
			o := furtherOptions(l, "pgd", 0)
			r := &Result{Tables: []Table{t}, Protocol: []string{
				fmt.Sprintf("L∞, ε = %g/255, %d test images, %d steps, %d restarts, %d queries of the square attack, %d noisy copies (σ = %g).", o.Epsilons[0], o.Images, o.Steps, o.Restarts, o.Queries, o.Chains, o.Noise),
				"Transfer: images that PGD made against the softmax twin, or JEM-0 for the softmax's row, shown to the row's predictor.",
				"Others report 4.28 % of AutoAttack at 8/255 for the paper's network (second-hand), far below its PGD curve: believe the lowest figure of a row.",
			}}
			for _, kind := range []string{"apgd-ce", "apgd-dlr", "square"} {
				r.Claims = append(r.Claims, more("JEM-0 is more robust than the same network as classifier, "+kind, t.at("JEM-0", kind), t.at("softmax", kind), "%.1f %%"))
			}
			r.Claims = append(r.Claims, less("PGD is no weaker than Auto-PGD on JEM-1: the straight-through gradient serves (within 5 points)", gap(t.at("JEM-1", "pgd"), t.at("JEM-1", "apgd-dlr")), given(5), "%.1f"))
			return r, nil
		},
	}
}

// transfer is the column of attacks by another network's gradients.
const transfer = "transfer"

func furtherAttacks() definition {
	d := definition{
		title:   "Accuracy, %",
		columns: []Column{{Key: "clean", Title: "no attack", Digits: 1, Percent: true}},
		rows:    []line{{label: "JEM-0", run: runJEM}, {label: "JEM-1", run: runJEM, k: 1}, {label: "softmax", run: runBaseline}},
		figure: func(l *Lab, t Training, row line, col Column) (reading, error) {
			kind := col.Key
			if kind == "clean" {
				kind = "pgd"
			}
			r, err := furtherAttack(l, t, kind, row.k)
			if err != nil {
				return reading{}, err
			}
			if col.Key == "clean" {
				return share(r.Points[0].Accuracy, r.Samples), nil
			}
			return share(r.Points[len(r.Points)-1].Accuracy, r.Samples), nil
		},
	}
	for _, kind := range []string{"pgd", "apgd-ce", "apgd-dlr", "square", transfer} {
		d.columns = append(d.columns, Column{Key: kind, Title: kind, Digits: 1, Percent: true})
	}
	return d
}

func furtherOptions(l *Lab, kind string, k int) robust.Options {
	o := attackOptions(l, "linf", k)
	if o.Kind = kind; kind == transfer {
		o.Kind = "pgd"
	}
	o.Epsilons = []float64{pick(l.Scale, 4.0, 4.0, 8.0)}
	o.Queries = pick(l.Scale, 20, 300, 5000)
	return o
}

// furtherAttack attacks a training's predictor JEM-k.
func furtherAttack(l *Lab, t Training, kind string, k int) (robust.Result, error) {
	o := furtherOptions(l, kind, k)
	if !t.Config.Data.EvalNoise {
		o.Noise = 0
	}
	r, err := measure(l, t, fmt.Sprintf("further-%s-k%d", kind, k), o, func(p *predict.Predictor) (robust.Result, error) {
		o := keeping(l, o)
		if kind == transfer {
			var err error
			if o.From, err = otherNetwork(l, t); err != nil {
				return robust.Result{}, err
			}
		}
		return robust.Measure(l.ctx, p, o, nil)
	})
	if err != nil {
		return r, err
	}
	return r, r.Forget()
}

// otherNetwork opens the twin of a training beside it: its classifier, or the JEM of that.
func otherNetwork(l *Lab, t Training) (*predict.Predictor, error) {
	if t.Run.Name == runBaseline {
		return l.twin(runJEM)
	}
	return l.twin(runBaseline)
}
