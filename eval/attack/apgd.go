package attack

import (
	"fmt"
	"math"

	"jem/backend/philox"
)

// APGD is Auto-PGD (Croce & Hein 2020, algorithm 1): projected gradient ascent with momentum
// that starts with steps of twice the radius and halves them, going back to the best image
// met, where a loss stops growing. Nothing needs tuning but the number of steps.
type APGD struct {
	Ball
	Loss     Loss // CrossEntropy or DLR
	Steps    int  // gradient steps a start; the authors' 100
	Restarts int  // random starts
	Climb    bool // as PGD.Climb
}

// The constants of the algorithm.
const (
	apgdMomentum = 0.75 // α, weight of the new direction
	apgdRising   = 0.75 // ρ, share of steps that must raise the loss between checkpoints
)

// checkpoints are the steps, of n, at which the step size is reconsidered.
func checkpoints(n int) map[int]bool {
	at, before, share := map[int]bool{}, 0.0, 0.22
	for share <= 1 {
		at[int(math.Ceil(share*float64(n)-1e-9))] = true
		before, share = share, share+max(share-before-0.03, 0.06)
	}
	return at
}

// Run implements Attack.
func (a APGD) Run(t Target, images []float32, labels []int32, key philox.Key) (Result, error) {
	var err error
	if a.Ball, err = a.ball(t, images, labels); err != nil {
		return Result{}, err
	}
	if err := a.Loss.check(t.Classes()); err != nil {
		return Result{}, err
	}
	if a.Steps < 1 || a.Restarts < 0 {
		return Result{}, fmt.Errorf("attack with %d steps and %d restarts: want at least 1 step", a.Steps, a.Restarts)
	}
	s := newSearch(t, a.Ball, a.Loss, images, labels)
	s.climb = a.Climb
	for r := range max(1, a.Restarts) {
		if err := a.start(s, key, r); err != nil {
			return s.Result, err
		}
	}
	return s.Result, nil
}

// ascent is the state of one image.
type ascent struct {
	step       float64 // η
	loss       float64 // at the image before
	before     []float32
	best       []float32
	bestGrad   []float32
	bestLoss   float64
	rises      int     // steps since the last checkpoint that raised the loss
	checkedMax float64 // bestLoss at the last checkpoint
	halved     bool    // at the last checkpoint
}

// start makes one random start and climbs from it.
func (a APGD) start(s *search, key philox.Key, restart int) error {
	w := s.waiting()
	w.scatter(key, restart)
	states := make([]*ascent, w.n())
	for j := range states {
		states[j] = &ascent{step: 2 * a.Radius, bestLoss: math.Inf(-1), checkedMax: math.Inf(-1)}
	}
	at, last := checkpoints(a.Steps), 0
	for k := range a.Steps {
		if err := w.gradient(key.At(restart*(a.Steps+1)+k, 0)); err != nil {
			return err
		}
		var stay []*ascent
		for _, j := range w.drop() {
			stay = append(stay, states[j])
		}
		states = stay
		for j, st := range states {
			st.note(w.image(j), w.grad(j), w.losses[j], k)
			if at[k] && st.stalls(k-last) {
				st.step /= 2
				copy(w.image(j), st.best)
				copy(w.grad(j), st.bestGrad)
			}
			a.move(w, j, st, k)
		}
		if at[k] {
			last = k
		}
	}
	return w.answer(key.At(restart*(a.Steps+1)+a.Steps, 0))
}

// note takes in the loss at step k.
func (st *ascent) note(x, g []float32, loss float64, k int) {
	if k > 0 && loss > st.loss {
		st.rises++
	}
	if st.loss = loss; loss > st.bestLoss {
		st.bestLoss = loss
		st.best, st.bestGrad = append(st.best[:0], x...), append(st.bestGrad[:0], g...)
	}
}

// stalls reports, at a checkpoint, whether the step shall be halved.
func (st *ascent) stalls(since int) bool {
	few := float64(st.rises) < apgdRising*float64(since)
	same := !st.halved && st.bestLoss == st.checkedMax
	st.rises, st.checkedMax, st.halved = 0, st.bestLoss, few || same
	return st.halved
}

// move makes step k of image j: along the gradient, and on with what the last step was.
func (a APGD) move(w *wave, j int, st *ascent, k int) {
	x, clean := w.image(j), w.clean(j)
	next := append([]float32(nil), x...)
	a.climb(next, w.grad(j), st.step)
	a.project(next, clean)
	if k > 0 {
		for i := range next {
			next[i] = x[i] + apgdMomentum*(next[i]-x[i]) + (1-apgdMomentum)*(x[i]-st.before[i])
		}
		a.project(next, clean)
	}
	st.before = append(st.before[:0], x...)
	copy(x, next)
}
