package experiments

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"jem/internal/chart"
)

// allLabels is how many labels a class of CIFAR-10 has that a run may learn from.
const allLabels = 4500

// fewPanels draws what the tables of CIFAR-10 without crops and flips say over the number of labels;
// nil where they say nothing.
func fewPanels(l *Lab, tables map[string]Table) *Panels {
	settings := slices.DeleteFunc(scarcities(), func(s scarcity) bool { return s.set != "cifar10" || s.crops })
	slices.SortFunc(settings, func(a, b scarcity) int { return cmp.Compare(a.place(), b.place()) })
	var ticks []chart.Tick
	for _, s := range settings {
		label := fmt.Sprint(s.labels)
		if s.labels == 0 {
			label = "all"
		}
		ticks = append(ticks, chart.Tick{At: s.place(), Label: label})
	}
	p := &Panels{Caption: "Bars are one standard error, from the number of test images and from the seeds where there are several. " +
		"The twin stopped best and the temperature use held-out images, JEM's curves do not. The last place is all of CIFAR-10's labels. " + fmt.Sprintf("PGD in L∞, ε = %g/255.", furtherOptions(l, "pgd", 0).Epsilons[0]),
		Panels: chart.Panels{Title: fmt.Sprintf("CIFAR-10 with few labels: JEM, its softmax twin and the twin's cures, %d steps each", fewSteps(l))}}
	drawn := false
	for _, of := range []struct {
		key, title string
		scaled     bool // a temperature changes it
	}{
		{"accuracy", "accuracy, %", false}, {"ece", "ECE, %", true}, {"nll", "NLL, nats", true},
		{"pgd", "accuracy under PGD, %", false},
	} {
		c := chart.Chart{XLabel: "labelled images a class", YLabel: of.title, XTicks: ticks}
		curve := func(name, row, key string) {
			line, aside := chart.Line{Name: name}, 0.018*float64(len(c.Lines)-2) // so that bars don't hide each other
			for _, s := range settings {
				if cell := tables[s.key].at(row, key); cell.Ours != nil {
					line.AddError(s.place()+aside, *cell.Ours, cell.uncertainty())
					drawn = true
				}
			}
			c.Lines = append(c.Lines, line)
		}
		curve("JEM", labelJEM, of.key)
		curve("softmax twin", labelTwin, of.key)
		curve("JEM with all images, unlabelled", labelUnlabelled, of.key)
		curve("twin stopped best", labelStopped, of.key)
		if of.scaled {
			curve("twin with a temperature", labelTwin, scaledKey(of.key))
		}
		c.YMin, c.YMax = 0, ceiling(c.Lines)
		c.YLog = of.key == "nll" // the twin's is out of all proportion
		p.Charts = append(p.Charts, c)
	}
	if !drawn {
		return nil
	}
	return p
}

// place is where the setting stands on the axis of labels.
func (s scarcity) place() float64 { return math.Log10(float64(cmp.Or(s.labels, allLabels))) }

// fewSteps is the length of the trainings.
func fewSteps(l *Lab) int {
	t, err := firstTraining(l, scarcities()[0].run(kindTwin))
	if err != nil {
		return 0
	}
	return totalSteps(t.Config)
}

// ceiling is a little above all of the curves.
func ceiling(lines []chart.Line) (top float64) {
	for _, l := range lines {
		for i, y := range l.Y {
			top = max(top, y+l.Err[i])
		}
	}
	return 1.05 * top
}
