package experiments

import (
	"fmt"
	"slices"

	"jem/internal/chart"
)

// table2 is the paper's Table 2: histograms of scores on CIFAR-10 and other sets.
func table2() Experiment {
	return Experiment{
		ID: "table2", Title: "Table 2: histograms of scores for OOD detection", Where: "Grathwohl et al. 2020, Table 2",
		Runs: []string{runJEM, runBaseline}, Sets: oodSets(),
		Build: func(l *Lab) (*Result, error) {
			r := &Result{Protocol: []string{
				"Densities over the test images and over the other set, each of area 1, over one range; pixel noise as in training.",
				"Glow's column is reported by the paper and not drawn here.",
			}}
			d := definition{
				title: "AUROC behind the histograms",
				columns: []Column{
					{Key: "px", Title: "log p(x)", Digits: 3}, {Key: "py", Title: "max p(y|x)", Digits: 3}, {Key: "pxgrad", Title: "approximate mass", Digits: 3},
				},
				figure: func(l *Lab, t Training, row line, col Column) (reading, error) {
					f, err := detectionOf(l, t, row.arg)
					return f.figure(col.Key), err
				},
			}
			for _, set := range oodSets() {
				d.rows = append(d.rows, line{label: setTitle(set) + ", JEM", run: runJEM, arg: set})
				if !slices.Contains([]string{"svhn", "cifar100", "celeba"}, set) {
					continue // the paper's three are drawn
				}
				if err := histogramsOf(l, r, set); err != nil {
					return nil, err
				}
			}
			t, err := tableOf(l, d)
			r.Tables = []Table{t}
			return r, err
		},
	}
}

// setTitle is a set's name for people.
func setTitle(set string) string {
	return map[string]string{"svhn": "SVHN", "interp": "CIFAR-10 interpolated", "cifar100": "CIFAR-100", "celeba": "CelebA",
		"textures": "textures", "tiny-imagenet": "Tiny ImageNet", "faces": "grey faces"}[set]
}

func histogramsOf(l *Lab, r *Result, set string) error {
	for _, run := range []struct{ name, label string }{{runJEM, "JEM"}, {runBaseline, "softmax"}} {
		t, err := firstTraining(l, run.name)
		if err != nil {
			return err
		}
		f, err := detectionOf(l, t, set)
		if err != nil {
			return unlessNotRun(err)
		}
		for _, score := range []struct{ key, label string }{{"px", "log p(x) + log Z"}, {"pxgrad", "−log ‖∂log p(x)/∂x‖"}} {
			h := f.Histograms[score.key]
			h[0].Name, h[1].Name = "CIFAR-10 test", setTitle(set)
			r.Charts = append(r.Charts, Chart{
				Name: run.name + "-" + set + "-" + score.key, Caption: fmt.Sprintf("%s: %s of the two sets.", run.label, score.label),
				Chart: chart.Chart{
					Title:  fmt.Sprintf("%s, %s: AUROC %.3f", run.label, setTitle(set), f.figure(score.key).value),
					XLabel: score.label, YLabel: "density", Lines: h[:],
				},
			})
		}
	}
	return nil
}
