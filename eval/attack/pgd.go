package attack

import (
	"fmt"

	"jem/backend/philox"
)

// PGD is projected gradient ascent of the cross-entropy (Madry et al. 2018) from random
// starts in the ball around the image.
type PGD struct {
	Ball
	Steps    int     // gradient steps a start; the paper's 40
	StepSize float64 // of a step in the norm; 0: 2.5·Radius/Steps, which can cross the ball
	Restarts int     // random starts; the paper's 20
	Climb    bool    // go on with broken images, to the largest cross-entropy: for images that shall break others
}

// Run implements Attack. Images that no start broke yet go on to the next; a broken one is
// left as it was found, unless Climb says otherwise.
func (a PGD) Run(t Target, images []float32, labels []int32, key philox.Key) (Result, error) {
	var err error
	if a.Ball, err = a.ball(t, images, labels); err != nil {
		return Result{}, err
	}
	if !(a.StepSize >= 0) || a.Steps < 0 || a.Restarts < 0 {
		return Result{}, fmt.Errorf("attack with %d steps of %g and %d restarts: want numbers from 0 on", a.Steps, a.StepSize, a.Restarts)
	}
	if a.StepSize == 0 {
		a.StepSize = 2.5 * a.Radius / float64(max(1, a.Steps))
	}
	s := newSearch(t, a.Ball, CrossEntropy, images, labels)
	s.climb = a.Climb
	for r := range max(1, a.Restarts) {
		if err := a.start(s, key, r); err != nil {
			return s.Result, err
		}
	}
	return s.Result, nil
}

// start makes one random start and climbs from it.
func (a PGD) start(s *search, key philox.Key, restart int) error {
	w := s.waiting()
	if w.n() == 0 {
		return nil
	}
	w.scatter(key, restart)
	for step := range a.Steps {
		if err := w.gradient(key.At(restart*(a.Steps+1)+step, 0)); err != nil {
			return err
		}
		w.drop()
		for j := range w.n() {
			a.climb(w.image(j), w.grad(j), a.StepSize)
			a.project(w.image(j), w.clean(j))
		}
	}
	return w.answer(key.At(restart*(a.Steps+1)+a.Steps, 0))
}
