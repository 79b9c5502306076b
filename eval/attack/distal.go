package attack

import (
	"fmt"
	"math"

	"jem/backend/philox"
)

// Distal makes images that a classifier takes for a class with confidence, starting far from
// any image (Grathwohl et al. 2020, section 5.4): x ← clamp(x − s·g/‖g‖₂), g the gradient
// of the cross-entropy with that class, until p(class|x) reaches Confidence.
type Distal struct {
	StepSize   float64 // s, Euclidean, in the images' units
	Steps      int     // at most
	Confidence float64 // in (0,1)
	Lo, Hi     float32 // range of pixels; both 0: [−1,1]
	// Progress hears of every step done of those that there may be; may be nil.
	Progress func(done, total int)
}

// DistalResult is what became of each image.
type DistalResult struct {
	Steps      []int     // taken
	Confidence []float64 // p(class|x) reached
}

// Run moves images (n,D) in place towards their labels.
func (a Distal) Run(t Target, images []float32, labels []int32, key philox.Key) (DistalResult, error) {
	if !(a.StepSize > 0) || a.Steps < 0 || !(a.Confidence > 0 && a.Confidence < 1) || len(labels) == 0 || len(images)%len(labels) != 0 {
		return DistalResult{}, fmt.Errorf("distal images with steps of %g, %d steps and confidence %g of %d pixels for %d labels: want steps above 0 and a confidence between 0 and 1",
			a.StepSize, a.Steps, a.Confidence, len(images), len(labels))
	}
	if a.Lo == a.Hi {
		a.Lo, a.Hi = -1, 1
	}
	n, d, k := len(labels), len(images)/len(labels), t.Classes()
	r := DistalResult{make([]int, n), make([]float64, n)}
	g := make([]float32, len(images))
	for step := 0; ; step++ {
		logits, err := t.Gradient(g, images, CrossEntropy, labels, key.At(step, 0))
		if err != nil {
			return r, err
		}
		moved := false
		for i, y := range labels {
			if r.Confidence[i] >= a.Confidence {
				continue
			}
			r.Confidence[i] = math.Exp(-crossEntropy(logits[i*k:(i+1)*k], y))
			if r.Confidence[i] < a.Confidence && step < a.Steps {
				a.move(images[i*d:(i+1)*d], g[i*d:(i+1)*d])
				r.Steps[i]++
				moved = true
			}
		}
		if !moved {
			return r, nil
		}
		if a.Progress != nil {
			a.Progress(step+1, a.Steps)
		}
	}
}

func (a Distal) move(x, g []float32) {
	l := length(g)
	if l == 0 {
		return
	}
	for k, v := range g {
		x[k] = clamp(x[k]-float32(a.StepSize/l*float64(v)), a.Lo, a.Hi)
	}
}
