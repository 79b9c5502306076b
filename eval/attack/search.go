package attack

import (
	"math"

	"jem/backend/philox"
)

// search is what attacks in a ball share: the images, and the best found of each.
type search struct {
	Result
	ball   Ball
	target Target
	clean  []float32
	labels []int32
	d      int
	lossOf Loss
	loss   []float64 // largest met, by image
	climb  bool      // broken images go on, and the largest loss counts for them too
}

func newSearch(t Target, b Ball, l Loss, images []float32, labels []int32) *search {
	s := &search{ball: b, target: t, clean: images, labels: labels, d: len(images) / len(labels), lossOf: l}
	s.Images = append([]float32(nil), images...)
	s.Broken, s.loss = make([]bool, len(labels)), make([]float64, len(labels))
	for i := range s.loss {
		s.loss[i] = math.Inf(-1)
	}
	return s
}

// judge remembers a wrong answer, or the largest loss, for image i.
func (s *search) judge(i int, x, logits []float32) (loss float64) {
	wrong, loss := Wrong(logits, s.labels[i]), s.lossOf.Value(logits, s.labels[i])
	better := loss > s.loss[i]
	if s.Broken[i] {
		better = better && s.climb && wrong
	}
	if better || wrong && !s.Broken[i] {
		s.Broken[i], s.loss[i] = s.Broken[i] || wrong, loss
		copy(s.Images[i*s.d:(i+1)*s.d], x)
	}
	return loss
}

// wave is the images that are still worth moving, moved together.
type wave struct {
	s      *search
	which  []int // images, by place in the wave
	labels []int32
	x, dx  []float32 // (n,D)
	losses []float64 // at x, where it was last answered
}

// waiting starts a wave of the images that aren't broken.
func (s *search) waiting() *wave {
	w := &wave{s: s}
	for i, broken := range s.Broken {
		if !broken || s.climb {
			w.which, w.labels = append(w.which, i), append(w.labels, s.labels[i])
		}
	}
	w.x, w.dx, w.losses = make([]float32, w.n()*s.d), make([]float32, w.n()*s.d), make([]float64, w.n())
	return w
}

func (w *wave) n() int                { return len(w.which) }
func (w *wave) image(j int) []float32 { return w.x[j*w.s.d : (j+1)*w.s.d] }
func (w *wave) grad(j int) []float32  { return w.dx[j*w.s.d : (j+1)*w.s.d] }
func (w *wave) clean(j int) []float32 {
	i := w.which[j]
	return w.s.clean[i*w.s.d : (i+1)*w.s.d]
}

// scatter sets the images to random ones of their balls.
func (w *wave) scatter(key philox.Key, restart int) {
	for j, i := range w.which {
		w.s.ball.scatter(w.image(j), w.clean(j), key.At(restart, 1+2*i))
	}
}

// gradient takes the gradients at the images, and judges them.
func (w *wave) gradient(key philox.Key) error {
	if w.n() == 0 {
		return nil
	}
	logits, err := w.s.target.Gradient(w.dx, w.x, w.s.lossOf, w.labels, key)
	if err == nil {
		w.judge(logits)
	}
	return err
}

// answer asks for the images' logits, and judges them.
func (w *wave) answer(key philox.Key) error {
	if w.n() == 0 {
		return nil
	}
	logits, err := w.s.target.Logits(w.x, w.n(), key)
	if err == nil {
		w.judge(logits)
	}
	return err
}

func (w *wave) judge(logits []float32) {
	k := w.s.target.Classes()
	w.s.Queries += w.n()
	for j, i := range w.which {
		w.losses[j] = w.s.judge(i, w.image(j), logits[j*k:(j+1)*k])
	}
}

// drop takes images that were broken out of the wave, and returns the old places of those
// that stay.
func (w *wave) drop() (stay []int) {
	for j, i := range w.which {
		if w.s.Broken[i] && !w.s.climb {
			continue
		}
		to := len(stay)
		stay = append(stay, j)
		w.which[to], w.labels[to], w.losses[to] = i, w.labels[j], w.losses[j]
		copy(w.image(to), w.image(j))
		copy(w.grad(to), w.grad(j))
	}
	n := len(stay)
	w.which, w.labels, w.losses, w.x, w.dx = w.which[:n], w.labels[:n], w.losses[:n], w.x[:n*w.s.d], w.dx[:n*w.s.d]
	return stay
}
