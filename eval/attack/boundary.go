package attack

import (
	"fmt"

	"jem/backend/philox"
)

// Boundary walks along the border between right and wrong answers towards the clean image
// (Brendel et al. 2018): it asks for nothing but the class, and looks for the smallest
// Euclidean change. It has no radius: the size of the change that it finds is the result.
type Boundary struct {
	Steps  int // of the walk
	Lo, Hi float32
}

// The constants of the walk, as the authors' code has them.
const (
	boundaryAside   = 0.01 // first step along the border, of the distance
	boundaryInward  = 0.01 // first step towards the clean image, of the distance
	boundaryChange  = 1.5  // factor of both when they succeed too often or too seldom
	boundaryWindow  = 10   // tries after which that is decided
	boundaryHalving = 20   // halvings of the way from the first wrong answer to the clean image
)

// walk is the state of one image.
type walk struct {
	aside, inward          float64
	tried, passed, entered int // since the last change: tries, those still wrong after the step aside, and after both
}

// Run implements Attack.
func (a Boundary) Run(t Target, images []float32, labels []int32, key philox.Key) (Result, error) {
	if a.Lo == a.Hi {
		a.Lo, a.Hi = -1, 1
	}
	if err := labelled(t, images, labels); err != nil {
		return Result{}, err
	}
	if a.Steps < 1 {
		return Result{}, fmt.Errorf("boundary attack with %d steps: want at least 1", a.Steps)
	}
	o := newOracle(t, images, labels)
	if err := o.begin(noiseStart{a.Lo, a.Hi}, key); err != nil {
		return o.Result, err
	}
	if err := o.halve(key, boundaryHalving); err != nil {
		return o.Result, err
	}
	states := make([]walk, len(labels))
	for i := range states {
		states[i] = walk{aside: boundaryAside, inward: boundaryInward}
	}
	aside := make([]float32, len(images))
	noise := philox.New(key.Seed, 1, philox.SampleNoise)
	for step := range a.Steps {
		key := key.At(step, 3)
		o.propose(func(i int, x, clean, best []float32) {
			a.orthogonal(x, clean, best, states[i].aside, noise.At(step, i))
			copy(aside[i*o.d:(i+1)*o.d], x)
		})
		if step%2 == 1 { // every second try looks at the step aside alone, to steer it
			err := o.ask(key, func(i int, wrong bool) bool { states[i].note(wrong); return false })
			if err != nil {
				return o.Result, err
			}
		}
		o.propose(func(i int, x, clean, best []float32) {
			for k, v := range aside[i*o.d : (i+1)*o.d] {
				x[k] = clamp(v+float32(states[i].inward)*(clean[k]-v), min(a.Lo, clean[k]), max(a.Hi, clean[k]))
			}
		})
		key.Sub++
		if err := o.ask(key, func(i int, wrong bool) bool { states[i].enter(wrong); return wrong && o.nearer(i) }); err != nil {
			return o.Result, err
		}
	}
	return o.Result, nil
}

// orthogonal writes to x the best image moved by a random step of the given share of its
// distance to the clean one, and put back onto the sphere around that.
func (a Boundary) orthogonal(x, clean, best []float32, share float64, key philox.Key) {
	key.FillNormal(x)
	distance := L2.Length(best, clean)
	dot, unit := 0.0, 1/max(distance, 1e-12)
	for k, v := range x { // without the part that points to the clean image
		dot += float64(v) * float64(best[k]-clean[k]) * unit
	}
	for k := range x {
		x[k] -= float32(dot * unit * float64(best[k]-clean[k]))
	}
	f := share * distance / max(length(x), 1e-12)
	for k, v := range x {
		x[k] = best[k] - clean[k] + float32(f*float64(v))
	}
	f = distance / max(length(x), 1e-12)
	for k, v := range x {
		x[k] = clamp(clean[k]+float32(f*float64(v)), min(a.Lo, clean[k]), max(a.Hi, clean[k]))
	}
}

// note takes in a try of the step aside.
func (w *walk) note(wrong bool) {
	if w.tried++; wrong {
		w.passed++
	}
	if w.tried < boundaryWindow {
		return
	}
	switch share := float64(w.passed) / float64(w.tried); { // half is right where the border is flat
	case share > 0.5:
		w.aside *= boundaryChange
	case share < 0.2:
		w.aside /= boundaryChange
	}
	switch share := float64(w.entered) / float64(2*w.tried); {
	case share > 0.25:
		w.inward = min(w.inward*boundaryChange, 0.5)
	case share < 0.1:
		w.inward /= boundaryChange
	}
	w.tried, w.passed, w.entered = 0, 0, 0
}

// enter takes in a try of both steps.
func (w *walk) enter(wrong bool) {
	if wrong {
		w.entered++
	}
}
