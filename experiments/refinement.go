package experiments

import (
	"fmt"

	"jem/internal/chart"
)

// refinement asks what SGLD on the image before the answer does to the accuracy.
func refinement() Experiment {
	return Experiment{
		ID: "refinement", Title: "Accuracy after k steps of refinement", Where: "the published evaluation script (n_steps of test_clf)",
		Runs: []string{runJEM, runBaseline},
		Build: func(l *Lab) (*Result, error) {
			d := definition{
				title: "Accuracy, %",
				rows:  []line{{label: "JEM", run: runJEM}, {label: "softmax", run: runBaseline}},
				figure: func(l *Lab, t Training, _ line, col Column) (reading, error) {
					var k int
					if _, err := fmt.Sscan(col.Key, &k); err != nil {
						return reading{}, err
					}
					a, err := accuracyOf(l, t, true, k, refinedImages(l))
					return share(a.Accuracy, a.Images), err
				},
			}
			for _, k := range refinements() {
				d.columns = append(d.columns, Column{Key: fmt.Sprint(k), Title: fmt.Sprintf("k = %d", k), Digits: 2, Percent: true})
			}
			t, err := tableOf(l, d)
			if err != nil {
				return nil, err
			}
			r := &Result{Tables: []Table{t}, Protocol: []string{
				fmt.Sprintf("The first %d test images, with pixel noise, climb log p(x) by k SGLD steps (α = 1, σ = 0.01) before they are classified.", refinedImages(l)),
			}}
			r.Claims = append(r.Claims,
				more("Refinement by one step keeps JEM's accuracy within a point", t.at("JEM", "1"), gap(t.at("JEM", "0"), given(1)), "%.2f"))
			c := chart.Chart{Title: "Accuracy after k SGLD steps on the image", XLabel: "k", YLabel: "accuracy, %"}
			for _, row := range t.Rows {
				l := chart.Line{Name: row.Label}
				for i, cell := range row.Cells {
					if cell.Ours != nil {
						l.Add(float64(refinements()[i]), *cell.Ours)
					}
				}
				if len(l.X) > 0 {
					c.Lines = append(c.Lines, l)
				}
			}
			if len(c.Lines) > 0 {
				r.Charts = []Chart{{Chart: c, Caption: "No attack: refinement alone."}}
			}
			return r, nil
		},
	}
}

func refinements() []int { return []int{0, 1, 5, 10, 20} }

// refinedImages is how many images are refined.
func refinedImages(l *Lab) int { return pick(l.Scale, 50, 2000, 10000) }
