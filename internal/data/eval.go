package data

import (
	"fmt"
	"iter"

	"jem/backend/philox"
)

// Eval walks images in order, the last partial batch included.
type Eval struct {
	set     *Set
	indices []int
	batch   int
	key     philox.Key
	augment *augmenter
}

// NewEval prepares a walk over the images that indices name (nil: all) in batches of at most
// batch. With noise σ > 0, σ·N(0,1) is added as the official code does at evaluation, from
// the key (purpose EvalNoise) and the image's index in the set alone: neither the batch size
// nor the selection changes an image.
func NewEval(s *Set, indices []int, batch int, noise float32, key philox.Key) (*Eval, error) {
	if indices == nil {
		indices = all(s)
	}
	if batch < 1 {
		return nil, fmt.Errorf("evaluation batch of %d images: want at least 1", batch)
	}
	a, err := newAugmenter(Augment{Noise: noise}, s)
	if err != nil {
		return nil, err
	}
	return &Eval{set: s, indices: indices, batch: batch, key: key, augment: a}, nil
}

// Len is the number of images.
func (e *Eval) Len() int { return len(e.indices) }

// Batches is the number of batches, ⌈Len/B⌉.
func (e *Eval) Batches() int { return (len(e.indices) + e.batch - 1) / e.batch }

// Batch writes batch i to the front of dst (B,C,H,W) and labels (B) and returns the number of
// its images, below B only for the last one.
func (e *Eval) Batch(i int, dst []float32, labels []int32) int {
	d := e.set.Dim()
	chosen := e.indices[i*e.batch : min((i+1)*e.batch, len(e.indices))]
	for b, index := range chosen {
		labels[b] = e.set.Labels[index]
		e.augment.apply(dst[b*d:(b+1)*d], e.set.Image(index), e.key.At(index, 0), philox.Key{}, nil)
	}
	return len(chosen)
}

// All yields the batches in order; Step is the number of the batch. All but the last share
// one buffer, so a batch is valid only within its turn of the loop.
func (e *Eval) All() iter.Seq[*Batch] {
	return func(yield func(*Batch) bool) {
		size := min(e.batch, len(e.indices))
		b := NewBatch(size, e.set.C, e.set.H, e.set.W)
		for i := range e.Batches() {
			if n := min(e.batch, len(e.indices)-i*e.batch); n < size {
				b = NewBatch(n, e.set.C, e.set.H, e.set.W)
			}
			b.Step = i
			e.Batch(i, b.Pixels, b.Labels)
			if !yield(b) {
				return
			}
		}
	}
}
