package experiments

import (
	"fmt"

	"jem/eval/calibration"
	"jem/internal/metrics"
)

// reliability is the paper's calibration figure of CIFAR-100, with CIFAR-10 and SVHN, and
// beside JEM and the plain classifier the latter with a fitted temperature.
func reliability() Experiment {
	return Experiment{
		ID: "calibration", Title: "Calibration", Where: "Grathwohl et al. 2020, calibration figure (CIFAR-100) and appendix",
		Runs: []string{runJEM, runBaseline, runJEM100, runBaseline100, runJEMSVHN, runBaseSVHN},
		Build: func(l *Lab) (*Result, error) {
			t, err := tableOf(l, calibrationTable())
			if err != nil {
				return nil, err
			}
			r := &Result{Tables: []Table{t}, Protocol: []string{
				fmt.Sprintf("ECE with %d bins (lo,hi] of equal width over max p(y|x), on the test images with the pixel noise of training.", metrics.Bins),
				"The temperature is fitted to the cross-entropy of the images that the run held out.",
				"The paper prints only CIFAR-100's two figures; others are not known and not quoted.",
			}}
			for _, d := range calibrationSets() {
				r.Claims = append(r.Claims,
					less("JEM is better calibrated than the same network as classifier, "+d.name, t.at(d.name+", JEM", "ece"), t.at(d.name+", softmax", "ece"), "%.2f %%"),
					less("JEM is better calibrated than that classifier with a fitted temperature, "+d.name, t.at(d.name+", JEM", "ece"), t.at(d.name+", softmax, temperature", "ece"), "%.2f %%"))
				for _, run := range []struct{ name, label string }{{d.jem, "JEM"}, {d.softmax, "softmax"}} {
					if err := addDiagram(l, r, run.name, d.name+", "+run.label); err != nil {
						return nil, err
					}
				}
			}
			return r, nil
		},
	}
}

// calibrationSet is a data set with its two runs.
type calibrationSet struct{ name, jem, softmax string }

func calibrationSets() []calibrationSet {
	return []calibrationSet{{"CIFAR-100", runJEM100, runBaseline100}, {"CIFAR-10", runJEM, runBaseline}, {"SVHN", runJEMSVHN, runBaseSVHN}}
}

func calibrationTable() definition {
	d := definition{
		title: "Expected calibration error",
		columns: []Column{
			{Key: "accuracy", Title: "accuracy %", Digits: 2, Percent: true},
			{Key: "ece", Title: "ECE %", Digits: 2, Percent: true},
			{Key: "adaptive", Title: "adaptive ECE %", Digits: 2, Percent: true},
			{Key: "nll", Title: "NLL, nats", Digits: 3},
			{Key: "brier", Title: "Brier", Digits: 3},
			{Key: "t", Title: "temperature", Digits: 2},
		},
		figure: calibrationFigure,
	}
	jem := map[string]quoteRow{
		"CIFAR-100": {"ece": printed(4.87), "accuracy": recalledSomewhat(72.2)},
		"CIFAR-10":  {"accuracy": second(92.9, sourceCopies)},
		"SVHN":      {"accuracy": recalledSomewhat(96.7)},
	}
	softmax := map[string]quoteRow{
		"CIFAR-100": {"ece": printed(22.32), "accuracy": recalledSomewhat(74.2)},
		"SVHN":      {"accuracy": recalledBarely(97.7)},
	}
	for _, s := range calibrationSets() {
		d.rows = append(d.rows,
			line{label: s.name + ", JEM", run: s.jem, paper: jem[s.name]},
			line{label: s.name + ", softmax", run: s.softmax, paper: softmax[s.name]},
			line{label: s.name + ", softmax, temperature", run: s.softmax, arg: scaled},
			line{label: s.name + ", JEM, temperature", run: s.jem, arg: scaled})
	}
	return d
}

// scaled asks for the figures after the temperature.
const scaled = "temperature"

// calibrationFigure takes the error of ECE to be accuracy's: the mean of confidence less
// correctness varies as much, and ECE is made of its parts.
func calibrationFigure(l *Lab, t Training, row line, col Column) (reading, error) {
	c, err := calibrationOf(l, t)
	if err != nil {
		return reading{}, err
	}
	accuracy := share(c.Accuracy, c.Images)
	if col.Key == "accuracy" {
		return accuracy, nil
	}
	at := calibration.Temperature{T: 1, NLL: c.NLL, NLLError: c.NLLError, Brier: c.Brier, Bins: c.Bins}
	if row.arg == scaled {
		if c.Scaled == nil {
			return reading{}, notRun("no temperature could be fitted")
		}
		at = *c.Scaled
	}
	f := plain(proper(col.Key, at))
	switch {
	case col.Percent:
		f.deviation = accuracy.deviation
	case col.Key == "nll":
		f.deviation = at.NLLError
	}
	return f, nil
}

// proper is one of a calibration's figures.
func proper(key string, t calibration.Temperature) float64 {
	last := t.Bins[len(t.Bins)-1] // metrics.Bins of them
	return map[string]float64{"ece": last.ECE, "adaptive": last.Adaptive, "nll": t.NLL, "brier": t.Brier, "t": t.T}[key]
}

// addDiagram adds a reliability diagram.
func addDiagram(l *Lab, r *Result, run, title string) error {
	t, err := firstTraining(l, run)
	if err != nil {
		return err
	}
	c, err := calibrationOf(l, t)
	if err != nil {
		return unlessNotRun(err)
	}
	r.Charts = append(r.Charts, Chart{
		Name:    run,
		Caption: fmt.Sprintf("%d bins, %d test images; below the diagonal the model is too confident.", metrics.Bins, c.Images),
		Chart:   c.Diagram(fmt.Sprintf("%s: ECE %.2f %%", title, 100*c.Reliability.ECE())),
	})
	return nil
}
