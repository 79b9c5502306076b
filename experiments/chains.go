package experiments

import (
	"fmt"
	"math"

	"jem/eval/chains"
	"jem/internal/chart"
	"jem/internal/picture"
	"jem/predict"
)

// longChains follows SGLD far beyond training's few steps.
func longChains() Experiment {
	return Experiment{
		ID: "chains", Title: "Long chains: where SGLD goes beyond the steps of training", Where: "no table of the paper",
		Runs: []string{runJEM, runFactored},
		Build: func(l *Lab) (*Result, error) {
			r := &Result{Protocol: []string{
				fmt.Sprintf("%d chains each of noise or the run's start, of the replay buffer and of test images, with training's α, σ, clip and clamp.", chainCount),
				"log p(x) is up to log Z: compare along a chain and between starts.",
			}}
			t, err := tableOf(l, chainTable(l))
			if err != nil {
				return nil, err
			}
			r.Tables = []Table{t}
			training, err := firstTraining(l, runJEM)
			if err != nil {
				return nil, err
			}
			density := chart.Chart{Title: "log p(x) along chains, JEM", XLabel: "SGLD steps, log10(1 + steps)", YLabel: "mean log p(x) + log Z"}
			for _, from := range chainStarts() {
				c, err := followChains(l, training, from.key)
				if isNotRun(err) {
					continue
				}
				if err != nil {
					return nil, err
				}
				density.Lines = append(density.Lines, c.line(from.title))
				r.Pictures = append(r.Pictures, Picture{from.key, "Chains from " + from.title, "One chain a column, one row after each of the numbers of steps at the left.", c.Picture})
			}
			if len(density.Lines) > 0 {
				r.Charts = []Chart{{Chart: density, Caption: "A well trained model's chains from noise rise to where the data are, and those from data stay."}}
			}
			return r, nil
		},
	}
}

const chainCount = 50

func chainStarts() []struct{ key, title string } {
	return []struct{ key, title string }{{"fresh", "fresh starts"}, {"buffer", "the replay buffer"}, {"test", "test images"}}
}

// chainMarks are the numbers of steps after which chains are looked at.
func chainMarks(l *Lab) []int {
	return pick(l.Scale, []int{0, 5, 20}, []int{0, 5, 20, 50, 100, 200, 500, 1000}, []int{0, 20, 100, 500, 1000, 5000, 10000})
}

// followed is what is kept of a trajectory.
type followed struct {
	Marks   []int
	LogPx   []float64 // mean, by mark
	Kept    float64   // share of chains whose class at the end is that at the start
	Picture []byte
}

func followChains(l *Lab, t Training, from string) (followed, error) {
	o := chains.TrajectoryOptions{From: from, N: chainCount, Marks: chainMarks(l), Seed: 1}
	return measure(l, t, "chain-"+from, o, func(p *predict.Predictor) (followed, error) {
		s, err := chains.Follow(l.ctx, p, o, nil)
		if err != nil {
			return followed{}, err
		}
		f := followed{Marks: s.Marks}
		b := picture.Batch{C: s.Channels, H: s.Size, W: s.Size}
		var labels []string
		const columns = 10
		for i, mark := range s.Marks {
			mean, _ := meanSpread(s.LogPx[i])
			f.LogPx = append(f.LogPx, mean)
			b.N, b.Pix = b.N+columns, append(b.Pix, s.Images[i][:columns*s.Channels*s.Size*s.Size]...)
			labels = append(labels, fmt.Sprint(mark))
		}
		last := len(s.Marks) - 1
		for j, y := range s.Class[0] {
			if s.Class[last][j] == y {
				f.Kept += 1 / float64(o.N)
			}
		}
		img, err := picture.Grid{Columns: columns, Labels: labels}.Draw(b)
		if err != nil {
			return f, err
		}
		f.Picture, err = picture.PNG(img)
		return f, err
	})
}

// line is log p(x) over log10(1 + steps).
func (f followed) line(name string) chart.Line {
	l := chart.Line{Name: name}
	for i, mark := range f.Marks {
		l.Add(math.Log10(1+float64(mark)), f.LogPx[i])
	}
	return l
}

func chainTable(l *Lab) definition {
	d := definition{title: "Mean log p(x) + log Z after so many SGLD steps", figure: func(l *Lab, t Training, row line, col Column) (reading, error) {
		f, err := followChains(l, t, row.arg)
		if err != nil {
			return reading{}, err
		}
		if col.Key == "kept" {
			return plain(f.Kept), nil
		}
		for i, mark := range f.Marks {
			if fmt.Sprint(mark) == col.Key {
				return plain(f.LogPx[i]), nil
			}
		}
		return reading{}, fmt.Errorf("no mark at %s steps", col.Key)
	}}
	for _, mark := range chainMarks(l) {
		d.columns = append(d.columns, Column{Key: fmt.Sprint(mark), Title: fmt.Sprint(mark), Digits: 2})
	}
	d.columns = append(d.columns, Column{Key: "kept", Title: "kept their class, %", Percent: true})
	for _, run := range []struct{ name, label string }{{runJEM, "JEM"}, {runFactored, "JEM, short training"}} {
		for _, from := range chainStarts() {
			d.rows = append(d.rows, line{label: run.label + ", from " + from.title, run: run.name, arg: from.key})
		}
	}
	return d
}
