package experiments

import (
	"fmt"
	"slices"

	"jem/eval/ood"
	"jem/internal/rundir"
	"jem/train/journal"
)

// successorsTable lays JEM's successors beside it, and beside adversarial training alone, without which
// no claim of robustness counts.
func successorsTable() Experiment {
	e := Experiment{ID: "recipes", Title: "Recipes: JEM, its successors and their control", Where: "no table of the paper; recipes of 2020 to 2026", Sets: successorSets()}
	for _, r := range successorRuns() {
		e.Runs = append(e.Runs, r.Name)
	}
	e.Build = func(l *Lab) (*Result, error) {
		r := &Result{Protocol: successorNotes(l)}
		definitions := []definition{successorTable(l)}
		for _, score := range ood.Published {
			definitions = append(definitions, detectionTable(score))
		}
		for _, d := range definitions {
			t, err := tableOf(l, d)
			if err != nil {
				return nil, err
			}
			r.Tables = append(r.Tables, t)
		}
		r.Claims = successorClaims(r.Tables)
		return r, successorSamples(l, r)
	}
	return e
}

// successorSets are told from the training set: one near it, three far from it.
func successorSets() []string { return []string{"cifar100", "svhn", "textures", "tiny-imagenet"} }

func successorNotes(l *Lab) []string {
	o := furtherOptions(l, "pgd", 0)
	return []string{
		"Each recipe takes the same number of steps of the same batch with the same network; what a step costs differs: see the last columns. Seconds are those that the quickest tenth of the steps in the second half, when every phase has begun, do not exceed, and hours those of the clock, on a machine that did other things, too. " +
			"The last row is JEM with twice the steps, table1's, for comparisons at equal time; jem reproduce table1 trains it.",
		"AT alone is adversarial training without log p(x): a recipe is robust by its log p(x) only as far as it is more robust than that, in the same ball.",
		"Smaller ball: images are attacked within five eighths of the others' radius in training, by which a network gives less accuracy for robustness. " +
			"Mixed: a dream begins at another set's image, which is distorted first in half of the cases, or in a third of all at a class's Gaussian.",
		"Settings were chosen on held-out images.",
		"ECE with 20 bins; the temperature is fitted to held-out images. Pixel noise at evaluation as each recipe has it: none but in JEM's.",
		fmt.Sprintf("Attacks in L∞, ε = %g/255, %d steps, %d start, the first %d test images, with the pixel noise of evaluation. Believe the lowest figure of a row.", o.Epsilons[0], o.Steps, o.Restarts, o.Images),
		"AUROC: CIFAR-10's test images are positive. (seen): images of this set were outliers in training, so its figure is no test.",
		"Samples: the replay buffer's, or where a recipe has none as many drawn afresh with its own moves, the classes in turn; FID and classifier-feature distance (in the features of the softmax twin, all samples) as in table1.",
	}
}

// labelLonger is the row of JEM with twice the steps.
const labelLonger = "JEM, twice the steps"

func successorRows() (rows []line) {
	for _, s := range successors() {
		rows = append(rows, line{label: s.label, run: s.run()})
	}
	return append(rows, line{label: labelLonger, run: runJEM})
}

func successorTable(l *Lab) definition {
	radius := fmt.Sprintf(" %g/255, %%", furtherOptions(l, "pgd", 0).Epsilons[0])
	return definition{
		title: "What each recipe is good for",
		columns: []Column{
			{Key: "accuracy", Title: "accuracy %", Digits: 1, Percent: true},
			{Key: "ece", Title: "ECE %", Digits: 1, Percent: true},
			{Key: scaledKey("ece"), Title: "ECE % with a temperature", Digits: 1, Percent: true},
			{Key: "nll", Title: "NLL, nats", Digits: 3},
			{Key: "pgd", Title: "PGD" + radius, Digits: 1, Percent: true},
			{Key: "apgd-ce", Title: "Auto-PGD, cross-entropy" + radius, Digits: 1, Percent: true},
			{Key: "apgd-dlr", Title: "Auto-PGD, DLR" + radius, Digits: 1, Percent: true},
			{Key: qualityFID, Title: "FID", Digits: 1},
			{Key: qualityDistance, Title: qualityDistance, Digits: 2},
			{Key: "count", Title: "divergences", Digits: 1},
			{Key: "hours", Title: "hours", Digits: 2},
			{Key: "cost", Title: "seconds a step, JEM's = 1", Digits: 2},
		},
		rows:   successorRows(),
		figure: successorFigure,
	}
}

func successorFigure(l *Lab, t Training, row line, col Column) (reading, error) {
	switch col.Key {
	case "pgd", "apgd-ce", "apgd-dlr":
		r, err := furtherAttack(l, t, col.Key, 0)
		if err != nil {
			return reading{}, err
		}
		return share(r.Points[len(r.Points)-1].Accuracy, r.Samples), nil
	case qualityFID, qualityDistance:
		v, err := judgedBy(l, t, col.Key, successors()[1].run())
		return plain(v), err
	case "count":
		return endedFigure(l, t, col.Key)
	case "hours":
		o, err := l.ended(t)
		return plain(o.Hours), err
	case "cost":
		return relativeCost(l, t)
	}
	return fewFigure(l, t, col)
}

// relativeCost is the time of a step beside that of JEM's.
func relativeCost(l *Lab, t Training) (reading, error) {
	jem, err := firstTraining(l, successors()[0].run())
	if err != nil {
		return reading{}, err
	}
	ours, err := stepSeconds(l, t)
	if err != nil {
		return reading{}, err
	}
	theirs, err := stepSeconds(l, jem)
	return plain(ours / theirs), err
}

// stepSeconds is the time of a training's steps, as they are at the end of its schedule.
func stepSeconds(l *Lab, t Training) (float64, error) {
	if _, err := l.ended(t); err != nil {
		return 0, err
	}
	history, _, err := journal.ReadHistory(rundir.Path(t.path(l.Out)))
	if err != nil {
		return 0, err
	}
	seconds := history.Line("", journal.KindTrain, "step_seconds").Y
	if len(seconds) == 0 {
		return 0, notRun("%s recorded no step", t.Run.Name)
	}
	return quick(seconds[len(seconds)/2:]), nil
}

// quick is the time that a tenth of the steps don't exceed: other programs on the machine make
// steps slower, never faster, so the quick ones tell what a recipe costs.
func quick(seconds []float64) float64 {
	return slices.Sorted(slices.Values(seconds))[len(seconds)/10]
}

// detectionTable are the AUROCs of one score, a column for each set.
func detectionTable(score string) definition {
	d := definition{
		title:   "AUROC of " + map[string]string{"px": "log p(x)", "py": "max p(y|x)", "pxgrad": "approximate mass"}[score],
		caption: "CIFAR-100 is near, the others are far.",
		rows:    successorRows(),
		figure: func(l *Lab, t Training, _ line, col Column) (reading, error) {
			f, err := detectionOf(l, t, col.Key)
			found := f.figure(score)
			if f.Seen {
				found.note = "seen"
			}
			return found, err
		},
	}
	for _, set := range successorSets() {
		d.columns = append(d.columns, Column{Key: set, Title: setTitle(set), Digits: 3})
	}
	return d
}
