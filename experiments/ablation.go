package experiments

// ablation compares the factorisations of log p(x,y).
func ablation() Experiment {
	return Experiment{
		ID: "ablation", Title: "Training log p(y|x) + log p(x) or log p(x,y)", Where: "Grathwohl et al. 2020, Table 1 (\"p(x|y) factored\") and section 4",
		Runs: []string{runFactored, runJoint, runClassCond},
		Build: func(l *Lab) (*Result, error) {
			t, err := tableOf(l, ablationTable())
			if err != nil {
				return nil, err
			}
			return &Result{
				Tables: []Table{t},
				Claims: []Claim{
					more("log p(y|x) + log p(x) classifies better than log p(x,y)", t.at(factoredLabel, "accuracy"), t.at(jointLabel, "accuracy"), "%.1f %%"),
					less("log p(y|x) + log p(x) is better calibrated than log p(x,y)", t.at(factoredLabel, "ece"), t.at(jointLabel, "ece"), "%.2f %%"),
				},
				Protocol: []string{"All three take the same number of steps with the same network, data, sampler and optimiser.",
					"\"p(x|y) factored\" is read as training log p(x,y) directly (p_x_y_weight 1): the published code doesn't say so."},
			}, nil
		},
	}
}

const (
	factoredLabel = "log p(y|x) + log p(x)"
	jointLabel    = "log p(x,y)"
)

func ablationTable() definition {
	return definition{
		title: "One budget, three objectives",
		columns: []Column{
			{Key: "accuracy", Title: "accuracy %", Digits: 2, Percent: true}, {Key: "ece", Title: "ECE %", Digits: 2, Percent: true},
			{Key: "px", Title: "AUROC log p(x), SVHN", Digits: 3}, {Key: "pxgrad", Title: "AUROC approx. mass, SVHN", Digits: 3},
		},
		rows: []line{
			{label: factoredLabel, run: runFactored, paper: quoteRow{"accuracy": second(92.9, sourceCopies)}},
			{label: jointLabel, run: runJoint, paper: quoteRow{"accuracy": recalled(30.1)}},
			{label: "log p(y|x) + log p(x), class-conditional chains", run: runClassCond},
		},
		figure: func(l *Lab, t Training, row line, col Column) (reading, error) {
			switch col.Key {
			case "accuracy", "ece":
				return calibrationFigure(l, t, row, col)
			}
			f, err := detectionOf(l, t, "svhn")
			return f.figure(col.Key), err
		},
	}
}
