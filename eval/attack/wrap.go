package attack

import (
	"fmt"

	"jem/backend/philox"
)

// Expected is a target whose random answers are averaged: logits, gradients and so losses are
// means over Draws calls with fresh randomness (expectation over transformation, Athalye et
// al. 2018). An attack on it isn't led astray by the noise of one answer.
type Expected struct {
	Of    Target
	Draws int

	logits []float32
	dx     []float32
}

// Classes implements Target.
func (e *Expected) Classes() int { return e.Of.Classes() }

// Logits implements Target.
func (e *Expected) Logits(images []float32, n int, key philox.Key) ([]float32, error) {
	return e.mean(key, func(key philox.Key) ([]float32, error) { return e.Of.Logits(images, n, key) })
}

// Gradient implements Target: the mean of the gradients, which is that of the mean loss.
func (e *Expected) Gradient(dx, images []float32, loss Loss, labels []int32, key philox.Key) ([]float32, error) {
	e.dx = append(e.dx[:0], dx...)
	clear(dx)
	return e.mean(key, func(key philox.Key) ([]float32, error) {
		logits, err := e.Of.Gradient(e.dx, images, loss, labels, key)
		for k, v := range e.dx {
			dx[k] += v / float32(max(1, e.Draws))
		}
		return logits, err
	})
}

// mean averages what draw returns.
func (e *Expected) mean(key philox.Key, draw func(key philox.Key) ([]float32, error)) ([]float32, error) {
	n := max(1, e.Draws)
	for i := range n {
		fresh := key
		if i > 0 {
			fresh.Seed = philox.New(key.Seed, uint32(i), philox.SampleNoise).Seed
		}
		logits, err := draw(fresh)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			e.logits = make([]float32, len(logits))
		}
		for k, v := range logits {
			e.logits[k] += v / float32(n)
		}
	}
	return e.logits, nil
}

// Transfer attacks one target with images made against another, of the same classes, which is
// all that it needs the gradients of. With should go on with images that are broken already
// (PGD.Climb), for what barely breaks the one seldom breaks the other.
type Transfer struct {
	From Target
	With Attack
}

// Run implements Attack.
func (a Transfer) Run(t Target, images []float32, labels []int32, key philox.Key) (Result, error) {
	k := t.Classes()
	if a.From.Classes() != k {
		return Result{}, fmt.Errorf("transfer attack from %d classes to %d", a.From.Classes(), k)
	}
	r, err := a.With.Run(a.From, images, labels, key)
	if err != nil {
		return r, err
	}
	logits, err := t.Logits(r.Images, len(labels), key)
	if err != nil {
		return r, err
	}
	for i, y := range labels {
		r.Broken[i] = Wrong(logits[i*k:(i+1)*k], y)
	}
	return r, nil
}
