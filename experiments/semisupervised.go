package experiments

import "fmt"

// semiSupervised tries the published script's option of few labels.
func semiSupervised() Experiment {
	return Experiment{
		ID: "semi", Title: "Few labels: what log p(x) over all images adds", Where: "the published script's labels_per_class; no table of the paper",
		Runs: []string{runSemi, runSemiBase},
		Build: func(l *Lab) (*Result, error) {
			few, err := firstTraining(l, runSemi)
			if err != nil {
				return nil, err
			}
			t, err := tableOf(l, definition{
				title: fmt.Sprintf("%d labelled images a class", few.Config.Data.LabelsPerClass),
				columns: []Column{
					{Key: "accuracy", Title: "accuracy %", Digits: 2, Percent: true}, {Key: "ece", Title: "ECE %", Digits: 2, Percent: true}, {Key: "nll", Title: "NLL, nats", Digits: 3},
				},
				rows:   []line{{label: "JEM, log p(x) over all training images", run: runSemi}, {label: "softmax, the labelled images alone", run: runSemiBase}},
				figure: calibrationFigure,
			})
			if err != nil {
				return nil, err
			}
			return &Result{
				Tables:   []Table{t},
				Claims:   []Claim{more("log p(x) over all images raises the accuracy (a claim of ours to test, not the paper's)", t.Rows[0].Cells[0], t.Rows[1].Cells[0], "%.1f %%")},
				Protocol: []string{"Both see the same labelled images; JEM's second stream draws from all training images without their labels."},
			}, nil
		},
	}
}
