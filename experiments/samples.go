package experiments

import (
	"cmp"
	"slices"

	"jem/internal/picture"
	"jem/predict"
)

// samples is the paper's figure of class-conditional samples, and the appendix's of samples
// ranked by log p(x) and by p(y|x).
func samples() Experiment {
	return Experiment{
		ID: "samples", Title: "Samples by class", Where: "Grathwohl et al. 2020, figure of class-conditional samples, and appendix",
		Runs: []string{runJEM, runClassCond, runJEM100, runJEMSVHN},
		Build: func(l *Lab) (*Result, error) {
			t, err := tableOf(l, sampleFigures())
			if err != nil {
				return nil, err
			}
			r := &Result{Tables: []Table{t}, Protocol: []string{
				"Chains go on from the replay buffer for as many SGLD steps as in training; fresh ones start anew for 100. A row of a grid holds ten at random of those that the model sees in the class.",
			}}
			for _, run := range []struct{ name, title string }{
				{runJEM, "CIFAR-10, JEM"}, {runClassCond, "CIFAR-10, chains that climb f(x)[y]"}, {runJEM100, "CIFAR-100, JEM, the 20 classes seen most"}, {runJEMSVHN, "SVHN, JEM"},
			} {
				if err := sampleGrids(l, r, run.name, run.title); err != nil {
					return nil, err
				}
			}
			return r, nil
		},
	}
}

// drawn is what is kept of a set of samples.
type drawn struct {
	Classes    int     // that the model sees in them
	Confidence float64 // mean p(y|x)
	LogPx      float64 // mean
	Grid       []byte  // by class, PNG
	ByLogPx    []byte  // highest, middle and lowest log p(x), PNG
	ByClass    []byte  // the same of p(y|x), PNG
}

func drawnSamples(l *Lab, t Training, fresh bool) (drawn, error) {
	o := predict.SampleOptions{N: pick(l.Scale, 100, 1000, 1000), Steps: t.Config.Sampler.Steps, Fresh: fresh, Class: predict.AnyClass, Seed: 1}
	if fresh {
		o.Steps = pick(l.Scale, 20, 100, 100)
	}
	return measure(l, t, "samples", o, func(p *predict.Predictor) (drawn, error) {
		s, err := p.Sample(l.ctx, o)
		if err != nil {
			return drawn{}, err
		}
		return summarise(s, p.Classes)
	})
}

// maxRows is how many classes a grid shows.
const maxRows = 20

func summarise(s *predict.Samples, classes []string) (drawn, error) {
	d := drawn{Classes: len(slices.Compact(slices.Clone(s.Class)))}
	d.Confidence, _ = meanSpread(s.Confidence)
	d.LogPx, _ = meanSpread(s.LogPx)
	shown, names := ofMost(s, classes)
	img, err := shown.Grid(names)
	if err != nil {
		return d, err
	}
	if d.Grid, err = picture.PNG(img); err != nil {
		return d, err
	}
	if d.ByLogPx, err = ranked(s, s.LogPx); err != nil {
		return d, err
	}
	d.ByClass, err = ranked(s, s.Confidence)
	return d, err
}

// ofMost are the samples of the classes seen most, as many as a grid shows, and their names.
func ofMost(s *predict.Samples, classes []string) (*predict.Samples, []string) {
	counts, order := make([]int, len(classes)), make([]int, len(classes))
	for y := range order {
		order[y] = y
	}
	for _, y := range s.Class {
		counts[y]++
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	order = order[:min(len(order), maxRows)]
	slices.Sort(order)
	shown, pixels := &predict.Samples{Channels: s.Channels, Size: s.Size}, s.Channels*s.Size*s.Size
	var names []string
	for row, y := range order {
		names = append(names, classes[y])
		for i := range s.Class {
			if s.Class[i] == y {
				shown.Class = append(shown.Class, row)
				shown.Images = append(shown.Images, s.Images[i*pixels:(i+1)*pixels]...)
			}
		}
	}
	return shown, names
}

// ranked draws samples by a score: two rows each of the highest, those in the middle, and
// the lowest.
func ranked(s *predict.Samples, score []float64) ([]byte, error) {
	const columns, rows = 10, 2
	order := make([]int, len(score))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
	band := min(columns*rows, len(order)/3)
	mid := (len(order) - band) / 2
	order = slices.Concat(order[:band], order[mid:mid+band], order[len(order)-band:])
	pixels := s.Channels * s.Size * s.Size
	b := picture.Batch{N: len(order), C: s.Channels, H: s.Size, W: s.Size}
	for _, i := range order {
		b.Pix = append(b.Pix, s.Images[i*pixels:(i+1)*pixels]...)
	}
	img, err := picture.Grid{Columns: columns, Labels: []string{"highest", "", "middle", "", "lowest", ""}}.Draw(b)
	if err != nil {
		return nil, err
	}
	return picture.PNG(img)
}

func sampleFigures() definition {
	return definition{
		title:   "What the model sees in its samples",
		caption: "log p(x) is up to log Z: compare within a row only.",
		columns: []Column{
			{Key: "classes", Title: "classes seen"},
			{Key: "confidence", Title: "mean max p(y|x)", Digits: 3},
			{Key: "samples", Title: "mean log p(x), samples", Digits: 3},
			{Key: "fresh", Title: "fresh chains", Digits: 3},
			{Key: "data", Title: "test images", Digits: 3},
		},
		rows: []line{
			{label: "CIFAR-10, JEM", run: runJEM}, {label: "CIFAR-10, class-conditional", run: runClassCond},
			{label: "CIFAR-100, JEM", run: runJEM100}, {label: "SVHN, JEM", run: runJEMSVHN},
		},
		figure: func(l *Lab, t Training, _ line, col Column) (reading, error) {
			if col.Key == "data" {
				a, err := accuracyOf(l, t, true, 0, l.Scale.limit())
				return plain(a.LogPx), err
			}
			d, err := drawnSamples(l, t, col.Key == "fresh")
			switch col.Key {
			case "classes":
				return plain(float64(d.Classes)), err
			case "confidence":
				return plain(d.Confidence), err
			}
			return plain(d.LogPx), err
		},
	}
}

// sampleGrids adds the pictures of a run that has ended.
func sampleGrids(l *Lab, r *Result, run, title string) error {
	t, err := firstTraining(l, run)
	if err != nil {
		return err
	}
	for _, fresh := range []bool{false, true} {
		d, err := drawnSamples(l, t, fresh)
		if err != nil {
			return unlessNotRun(err)
		}
		if fresh {
			r.Pictures = append(r.Pictures, Picture{run + "-fresh", title + ", fresh chains", "One row a class that the model sees in them.", d.Grid})
			continue
		}
		r.Pictures = append(r.Pictures, Picture{run, title, "Chains of the replay buffer, one row a class that the model sees in them.", d.Grid})
		if run == runJEM {
			r.Pictures = append(r.Pictures,
				Picture{run + "-log-px", title + ", by log p(x)", "Of the buffer's chains two rows each of the highest, the middle and the lowest.", d.ByLogPx},
				Picture{run + "-confidence", title + ", by p(y|x)", "The same, by the confidence in the class seen.", d.ByClass})
		}
	}
	return nil
}

// unlessNotRun passes over what is only missing.
func unlessNotRun(err error) error {
	if isNotRun(err) {
		return nil
	}
	return err
}
