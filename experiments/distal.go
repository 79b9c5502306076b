package experiments

import (
	"fmt"

	"jem/eval/robust"
	"jem/internal/picture"
	"jem/predict"
)

// distal is the paper's figure of distal adversarials.
func distal() Experiment {
	return Experiment{
		ID: "distal", Title: "Distal adversarials: noise moved until it is classified", Where: "Grathwohl et al. 2020, distal adversarial figure",
		Runs: []string{runJEM, runBaseline},
		Build: func(l *Lab) (*Result, error) {
			o := distalOptions(l, 1)
			t, err := tableOf(l, distalTable())
			if err != nil {
				return nil, err
			}
			r := &Result{Tables: []Table{t}, Protocol: []string{
				fmt.Sprintf("Noise of U(−1,1) follows the gradient of log p(y|x), in steps of length %g, until p(y|x) > %g or %d steps are over; %d images a class.", o.StepSize, o.Confidence, o.Steps, o.N),
				"The paper shows \"car\" (here automobile); its adversarially trained network is not trained here.",
			}}
			for _, run := range []struct{ name, title string }{{runJEM, "JEM"}, {runBaseline, "softmax"}} {
				tr, err := firstTraining(l, run.name)
				if err != nil {
					return nil, err
				}
				d, err := distalImages(l, tr, 1)
				if isNotRun(err) {
					continue
				}
				if err != nil {
					return nil, err
				}
				r.Pictures = append(r.Pictures, Picture{run.name, run.title + ": automobile", fmt.Sprintf("%d of %d reached the confidence.", d.Reached, d.Of), d.Picture})
			}
			return r, nil
		},
	}
}

type distalFound struct {
	Of, Reached int
	Steps       float64 // mean of those that reached it, or all of them
	Distance    float64 // mean total variation, see roughness
	Picture     []byte
}

func distalOptions(l *Lab, class int) robust.DistalOptions {
	return robust.DistalOptions{Class: class, N: 10, Steps: pick(l.Scale, 20, 500, 500), StepSize: 0.2, Confidence: 0.9, Seed: 1}
}

func distalImages(l *Lab, t Training, class int) (distalFound, error) {
	o := distalOptions(l, class)
	return measure(l, t, fmt.Sprintf("distal-%d", class), o, func(p *predict.Predictor) (distalFound, error) {
		r, err := robust.Distal(l.ctx, p, o, nil)
		if err != nil {
			return distalFound{}, err
		}
		d := distalFound{Of: o.N}
		for i, confidence := range r.Reached {
			d.Steps += float64(r.Taken[i]) / float64(o.N)
			if confidence >= o.Confidence {
				d.Reached++
			}
		}
		d.Distance = roughness(r.Images, r.Channels, r.Size)
		img, err := r.Plain()
		if err != nil {
			return d, err
		}
		d.Picture, err = picture.PNG(img)
		return d, err
	})
}

// roughness is the mean difference of neighbours in a row, |x(i+1) − x(i)|, over images: that of U(−1,1)
// noise is 2/3, natural images have some 0.1.
func roughness(images []float32, channels, size int) float64 {
	sum, n := 0.0, 0
	for at := 0; at+1 < len(images); at++ {
		if at%size == size-1 {
			continue
		}
		d := float64(images[at+1] - images[at])
		sum, n = sum+max(d, -d), n+1
	}
	return sum / float64(max(1, n))
}

func distalTable() definition {
	d := definition{
		title:   "How noise becomes a class",
		caption: "Roughness: mean difference of neighbouring pixels in [−1,1]; 0.67 is noise, natural images have about 0.1. The paper's point is that JEM's images lose their noise.",
		columns: []Column{
			{Key: "reached", Title: "reached, %", Percent: true}, {Key: "steps", Title: "mean steps", Digits: 1}, {Key: "rough", Title: "roughness", Digits: 3},
		},
		figure: func(l *Lab, t Training, _ line, col Column) (reading, error) {
			f, err := distalImages(l, t, 1)
			return plain(map[string]float64{"reached": float64(f.Reached) / float64(max(1, f.Of)), "steps": f.Steps, "rough": f.Distance}[col.Key]), err
		},
	}
	d.rows = []line{{label: "JEM", run: runJEM}, {label: "softmax", run: runBaseline}}
	return d
}
