package experiments

import (
	"fmt"
	"path/filepath"

	"jem/eval/robust"
	"jem/internal/chart"
	"jem/predict"
)

// robustness is the paper's figure of accuracy under PGD.
func robustness() Experiment {
	return Experiment{
		ID: "robustness", Title: "Robustness to PGD", Where: "Grathwohl et al. 2020, robustness figures (L∞ and L2)",
		Runs: []string{runJEM, runBaseline},
		Build: func(l *Lab) (*Result, error) {
			r := &Result{Protocol: attackNotes(attackOptions(l, "linf", 0))}
			for _, norm := range []struct{ key, title, note string }{{"linf", "L∞", ""}, {"l2", "L2", ", pixels in [0,255]"}} {
				t, err := tableOf(l, robustTable(norm.key, norm.title))
				if err != nil {
					return nil, err
				}
				r.Tables = append(r.Tables, t)
				if c := robustChart(t, norm.key, norm.title, norm.note); len(c.Lines) > 0 {
					r.Charts = append(r.Charts, c)
				}
				for _, e := range middle(robust.Radii(norm.key)) {
					key := fmt.Sprint(e)
					r.Claims = append(r.Claims,
						more(fmt.Sprintf("JEM-0 is more robust than the same network as classifier, %s ε = %g/255", norm.title, e), t.at("JEM-0", key), t.at("softmax", key), "%.1f %%"),
						more(fmt.Sprintf("JEM-1 is more robust than JEM-0, %s ε = %g/255", norm.title, e), t.at("JEM-1", key), t.at("JEM-0", key), "%.1f %%"),
						more(fmt.Sprintf("JEM-10 is more robust than JEM-1, %s ε = %g/255", norm.title, e), t.at("JEM-10", key), t.at("JEM-1", key), "%.1f %%"))
				}
			}
			return r, nil
		},
	}
}

// middle are two radii at which models differ.
func middle(eps []float64) []float64 { return eps[1:3] }

// attackOptions are the published attack, or a cheaper one at small scales.
func attackOptions(l *Lab, norm string, k int) robust.Options {
	o := robust.Options{
		Norm: norm, Epsilons: robust.Radii(norm), Refine: k, Seed: 1, Noise: 0.03,
		Steps: pick(l.Scale, 3, 20, 40), Restarts: pick(l.Scale, 1, 1, 20), Chains: pick(l.Scale, 1, 1, 5), Images: pick(l.Scale, 20, 1000, 1000),
	}
	if norm == "l2" {
		o.Noise = 0 // as published
	}
	return o
}

func attackNotes(o robust.Options) []string {
	return []string{
		fmt.Sprintf("PGD of %d steps of 2.5·ε/steps from random starts, %d for each of the first %d test images; published: 40 steps, 20 starts, 300 images.", o.Steps, o.Restarts, o.Images),
		fmt.Sprintf("The predictor averages logits over %d noisy copies of an image (σ = 0.03 for L∞, 0 for L2), each refined by k SGLD steps: JEM-k; published: 5 copies.", o.Chains),
		"The gradient passes straight through refinement, as published, so the attack on k > 0 is weaker than it could be: those rows overstate robustness.",
		"The paper's curves are known as pictures only; none of their numbers is quoted. Adversarially trained networks are not trained here.",
	}
}

func attackOf(l *Lab, t Training, norm string, k int) (robust.Result, error) {
	o := attackOptions(l, norm, k)
	r, err := measure(l, t, fmt.Sprintf("attack-%s-k%d", norm, k), o, func(p *predict.Predictor) (robust.Result, error) {
		return robust.Measure(l.ctx, p, keeping(l, o), nil)
	})
	if err != nil {
		return r, err
	}
	return r, r.Forget() // the batches that it kept in case it was interrupted
}

// keeping is an attack that keeps its finished batches, in case it is interrupted.
func keeping(l *Lab, o robust.Options) robust.Options {
	o.Folder = filepath.Join(l.Out, "measures", "batches")
	return o
}

func robustTable(norm, title string) definition {
	d := definition{
		title:   "Accuracy under " + title + " attacks, %",
		columns: []Column{{Key: "0", Title: "ε = 0", Digits: 1, Percent: true}},
		rows: []line{
			{label: "JEM-0", run: runJEM}, {label: "JEM-1", run: runJEM, k: 1}, {label: "JEM-10", run: runJEM, k: 10},
			{label: "softmax", run: runBaseline},
		},
		figure: func(l *Lab, t Training, row line, col Column) (reading, error) {
			r, err := attackOf(l, t, norm, row.k)
			if err != nil {
				return reading{}, err
			}
			for _, p := range r.Points {
				if fmt.Sprint(p.Epsilon) == col.Key {
					return share(p.Accuracy, r.Samples), nil
				}
			}
			return reading{}, fmt.Errorf("no accuracy at ε = %s/255", col.Key)
		},
	}
	for _, e := range robust.Radii(norm) {
		d.columns = append(d.columns, Column{Key: fmt.Sprint(e), Title: fmt.Sprintf("%g/255", e), Digits: 1, Percent: true})
	}
	return d
}

func robustChart(t Table, norm, title, note string) Chart {
	var lines []chart.Line
	eps := append([]float64{0}, robust.Radii(norm)...)
	for _, row := range t.Rows {
		l := chart.Line{Name: row.Label}
		for i, cell := range row.Cells {
			if cell.Ours != nil {
				l.Add(eps[i], *cell.Ours)
			}
		}
		lines = append(lines, l)
	}
	c := robust.Curves("Accuracy under "+title+" PGD", lines...)
	c.XLabel, c.YLabel, c.YMax = c.XLabel+note, "accuracy, %", 0
	return Chart{Name: norm, Caption: "Every row of the table above.", Chart: c}
}
