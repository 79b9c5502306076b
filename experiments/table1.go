package experiments

// table1 is the paper's Table 1: one network that classifies and generates.
func table1() Experiment {
	return Experiment{
		ID: "table1", Title: "Table 1: hybrid modelling of CIFAR-10", Where: "Grathwohl et al. 2020, Table 1",
		Runs:   []string{runJEM, runBaseline, runWRN, runJoint, runFactored, runClassCond},
		Judged: true,
		Build: func(l *Lab) (*Result, error) {
			t, err := tableOf(l, hybrid())
			if err != nil {
				return nil, err
			}
			return &Result{
				Tables: []Table{t},
				Claims: []Claim{
					more("JEM classifies better than log p(x,y) alone", t.at("JEM, as long as the ablations", "accuracy"), t.at("JEM, p(x|y) factored", "accuracy"), "%.1f"),
					less("JEM costs little accuracy beside the same network as classifier: less than 5 points", gap(t.at("softmax, same network", "accuracy"), t.at("JEM", "accuracy")), given(5), "%.1f"),
				},
				Protocol: []string{
					"Accuracy on the test images with the pixel noise of training (σ = 0.03), as the published script measures it, and without; averaged weights where the run has them.",
					"Samples are the replay buffer's images, against training and test images: FID of the 90 % of each predicted class with the highest p(y|x), Inception Score of the highest 10 %, as JEM's followers do; " +
						"the paper's own protocol behind 8.76 and 38.4 is not known.",
					"The classifier-feature distance is the Fréchet distance in the softmax twin's features, of all samples: no FID, and comparable within this table only.",
				},
			}, nil
		},
	}
}

func hybrid() definition {
	return definition{
		title: "Hybrid models",
		columns: []Column{
			{Key: "accuracy", Title: "accuracy %, noisy", Digits: 2, Percent: true},
			{Key: "clean", Title: "accuracy %, clean", Digits: 2, Percent: true},
			{Key: "is", Title: "IS", Digits: 2},
			{Key: "fid", Title: "FID", Digits: 1},
			{Key: "distance", Title: "classifier-feature distance", Digits: 2},
		},
		rows: []line{
			{label: "Residual Flow", paper: quoteRow{"accuracy": recalled(70.3), "is": recalled(3.6), "fid": recalled(46.4)}},
			{label: "Glow", paper: quoteRow{"accuracy": recalled(67.6), "is": recalled(3.92), "fid": recalled(48.9)}},
			{label: "IGEBM", paper: quoteRow{"accuracy": recalled(49.1), "is": second(8.30, sourceDDPM), "fid": second(37.9, sourceDDPM)}},
			{label: "JEM, p(x|y) factored", run: runJoint, paper: quoteRow{"accuracy": recalled(30.1), "is": recalled(6.36), "fid": recalled(61.8)}},
			{label: "JEM", run: runJEM, paper: quoteRow{"accuracy": second(92.9, sourceCopies), "is": second(8.76, sourceCopies), "fid": second(38.4, sourceCopies)}},
			{label: "JEM, as long as the ablations", run: runFactored},
			{label: "JEM, class-conditional samples", run: runClassCond},
			{label: "softmax, same network", run: runBaseline},
			{label: "softmax, batch norm", run: runWRN, paper: quoteRow{"accuracy": recalled(95.8)}},
			{label: "SNGAN", paper: quoteRow{"is": recalled(8.59), "fid": recalled(25.5)}},
			{label: "NCSN", paper: quoteRow{"is": recalled(8.91), "fid": recalled(25.32)}},
		},
		figure: func(l *Lab, t Training, _ line, col Column) (reading, error) {
			switch col.Key {
			case "accuracy", "clean":
				a, err := accuracyOf(l, t, col.Key == "accuracy", 0, l.Scale.limit())
				return share(a.Accuracy, a.Images), err
			}
			v, err := qualityOf(l, t, map[string]string{"is": qualityIS, "fid": qualityFID, "distance": qualityDistance}[col.Key])
			return plain(v), err
		},
	}
}
