package experiments

import (
	"errors"
	"fmt"

	"jem/internal/metrics"
)

// fewLabelsTable asks what log p(x) is worth where labels are few and seen often, beside the cheaper cures
// of the same illness: to stop early, and to fit a temperature.
func fewLabelsTable() Experiment {
	e := Experiment{ID: "few-labels", Title: "Few labels: calibration, accuracy and robustness", Where: "no table of the paper; its claim of calibration is for networks that overfit"}
	for _, r := range fewLabelRuns() {
		e.Runs = append(e.Runs, r.Name)
	}
	e.Build = func(l *Lab) (*Result, error) {
		r := &Result{Protocol: fewNotes(l)}
		tables := map[string]Table{} // by the setting's key
		for _, s := range scarcities() {
			t, err := tableOf(l, s.table(l))
			if err != nil {
				return nil, err
			}
			tables[s.key] = t
			r.Tables, r.Claims = append(r.Tables, t), append(r.Claims, s.claims(t)...)
		}
		r.Panels = fewPanels(l, tables)
		choice, err := tableOf(l, choiceTable())
		if err != nil {
			return nil, err
		}
		r.Tables = append(r.Tables, choice)
		return r, nil
	}
	return e
}

func fewNotes(l *Lab) []string {
	return []string{
		"All networks of a setting know the same labelled images, take the same number of steps with the same optimiser and differ in the objective alone. " +
			"JEM over the labelled images sees nothing else; JEM over all images draws log p(x)'s stream from all training images, without their labels: what it gains may come from these images. SADA-JEM is the preset of that name: without pixel noise, in training, evaluation and attacks.",
		"Settings were chosen on held-out images, never on the test images: the weight of log p(x) for all settings in the first one (last table), the twin's stop in each run by the least cross-entropy. " +
			"The held-out images, more than the labelled ones where these are few, also fit the temperatures: both cures of the twin have this advantage, JEM's figures before the temperature don't use them.",
		"Stopped best: of the twin's checkpoints and of those of a twin with a quarter of the steps and a schedule of its own, the one with the least held-out cross-entropy.",
		fmt.Sprintf("ECE with %d bins of equal width over max p(y|x), on the test images with the pixel noise of training; averaged weights.", metrics.Bins),
		fewAttackNote(l),
	}
}

func fewAttackNote(l *Lab) string {
	o := furtherOptions(l, "pgd", 0)
	return fmt.Sprintf("PGD in L∞, ε = %g/255, of %d steps from random starts, %d for each of %d test images. What gives a gradient nothing to hold on to looks robust: accuracy that is no better than chance before the attack says nothing.",
		o.Epsilons[0], o.Steps, o.Restarts, o.Images)
}

// The rows of a setting, by label.
const (
	labelTwin       = "softmax twin"
	labelStopped    = "softmax twin, stopped best"
	labelDropout    = "softmax twin, dropout 0.3"
	labelJEM        = "JEM, labelled images"
	labelUnlabelled = "JEM, all images without labels"
	labelSuccessor  = "SADA-JEM, all images without labels"
)

// stoppedBest asks for the figures of the checkpoint that held-out images prefer.
const stoppedBest = "stopped"

func (s scarcity) table(l *Lab) definition {
	d := definition{
		title: s.title(),
		columns: []Column{
			{Key: "accuracy", Title: "accuracy %", Digits: 1, Percent: true},
			{Key: "confidence", Title: "mean confidence %", Digits: 1, Percent: true},
			{Key: "ece", Title: "ECE %", Digits: 1, Percent: true},
			{Key: "nll", Title: "NLL, nats", Digits: 3},
			{Key: "t", Title: "temperature", Digits: 2},
			{Key: scaledKey("ece"), Title: "ECE % with it", Digits: 1, Percent: true},
			{Key: scaledKey("nll"), Title: "NLL with it", Digits: 3},
			{Key: "pgd", Title: fmt.Sprintf("PGD L∞ %g/255, %%", furtherOptions(l, "pgd", 0).Epsilons[0]), Digits: 1, Percent: true},
		},
		rows: []line{
			{label: labelTwin, run: s.run(kindTwin)},
			{label: labelStopped, run: s.run(kindTwin), arg: stoppedBest},
		},
		figure: func(l *Lab, t Training, row line, col Column) (reading, error) {
			if row.arg == stoppedBest {
				var err error
				if t, err = stopped(l, t, s.run(kindShort)); err != nil {
					return reading{}, err
				}
			}
			return fewFigure(l, t, col)
		},
	}
	for _, more := range []struct {
		label, kind string
		seeds       int
	}{{labelDropout, kindDropout, s.dropout}, {labelJEM, kindJEM, s.jem}, {labelUnlabelled, kindUnlabelled, s.unlabelled}, {labelSuccessor, kindSuccessor, s.successor}} {
		if more.seeds > 0 {
			d.rows = append(d.rows, line{label: more.label, run: s.run(more.kind)})
		}
	}
	return d
}

// scaledKey is the column of a figure after the temperature.
func scaledKey(key string) string { return key + " " + scaled }

func fewFigure(l *Lab, t Training, col Column) (reading, error) {
	switch col.Key {
	case "pgd":
		r, err := furtherAttack(l, t, "pgd", 0)
		if err != nil {
			return reading{}, err
		}
		return share(r.Points[len(r.Points)-1].Accuracy, r.Samples), nil
	case "confidence":
		c, err := calibrationOf(l, t)
		return plain(c.Confidence), err
	case scaledKey("ece"), scaledKey("nll"):
		return calibrationFigure(l, t, line{arg: scaled}, Column{Key: col.Key[:len(col.Key)-len(scaledKey(""))], Percent: col.Percent})
	case "t":
		return calibrationFigure(l, t, line{arg: scaled}, col)
	}
	return calibrationFigure(l, t, line{}, col)
}

// choiceTable is how the weight of log p(x) was chosen.
func choiceTable() definition {
	first := scarcities()[0]
	d := definition{
		title:   "How the weight of log p(x) was chosen: " + first.title() + ", seed 1",
		caption: "On the held-out images, at the end of the training. The weight with the least NLL is that of all settings.",
		columns: []Column{
			{Key: "accuracy", Title: "accuracy %", Digits: 1, Percent: true},
			{Key: "nll", Title: "NLL, nats", Digits: 3},
		},
		figure: func(l *Lab, t Training, _ line, col Column) (reading, error) {
			return heldOutFigure(l, t, col.Key)
		},
	}
	for _, w := range weightsTried() {
		d.rows = append(d.rows, line{label: fmt.Sprintf("weight %g", w), run: tried(w), seeds: 1})
	}
	return d
}

// heldOutFigure is what the last evaluation on held-out images said.
func heldOutFigure(l *Lab, t Training, key string) (reading, error) {
	if err := l.finished(t); err != nil {
		return reading{}, err
	}
	held, err := heldOut(l, t)
	if err != nil || len(held) == 0 {
		return reading{}, errors.Join(err, notRun("%s held out no images", t.Run.Name))
	}
	last := held[len(held)-1]
	if key == "nll" {
		return plain(last.nll), nil
	}
	return plain(last.accuracy), nil
}
