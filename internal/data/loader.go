package data

import (
	"fmt"
	"sync"

	"jem/backend/philox"
)

// LoaderOptions fixes a stream of batches.
type LoaderOptions struct {
	Batch   int // images a step and rank
	Augment Augment
	Order   philox.Key // purpose OrderPX or OrderPYX; the same on every rank
	Noise   philox.Key // purpose AugmentPX or AugmentPYX: crop, flip, noise; the same on every rank
	Distort Distortion // images are made of those of the set before they are cropped and flipped; "": they are those
	Plain   float32    // share of the images that are left as they are in spite of Distort
	Make    philox.Key // purpose MakeOutliers: of Distort and Plain; the same on every rank
	Strong  philox.Key // purpose StrongPYX: of Augment.Strong; the same on every rank
	// Rank of Ranks takes its own block of each step's Ranks·Batch images, so the ranks
	// together see what one process with their joint batch sees. Zero values: one process.
	Rank, Ranks int
}

// Loader makes the batches of a training stream. Step t is a pure function of set, indices,
// options and t, so a stream resumes at any step and two loaders with the same keys agree.
// A Loader may be used by several goroutines.
type Loader struct {
	set     *Set
	indices []int
	o       LoaderOptions
	augment *augmenter
	distort *distorter // nil: none

	mu    sync.Mutex // guards order and epoch
	order []int      // permutation of indices in epoch
	epoch int
}

// NewLoader prepares a stream over the images that indices name; nil: all of them.
func NewLoader(s *Set, indices []int, o LoaderOptions) (*Loader, error) {
	if o.Ranks == 0 {
		o.Ranks = 1
	}
	if indices == nil {
		indices = all(s)
	}
	if o.Batch < 1 || o.Rank < 0 || o.Rank >= o.Ranks {
		return nil, fmt.Errorf("batch of %d on rank %d of %d: want at least 1 image and a rank below their number", o.Batch, o.Rank, o.Ranks)
	}
	if len(indices) == 0 {
		return nil, fmt.Errorf("no images to load from %s %s", s.Name, s.Split)
	}
	a, err := newAugmenter(o.Augment, s)
	if err != nil {
		return nil, err
	}
	d, err := newDistorter(o.Distort, o.Plain, s, indices, o.Make)
	if err != nil {
		return nil, err
	}
	return &Loader{set: s, indices: indices, o: o, augment: a, distort: d, epoch: -1}, nil
}

// Len is the number of images in an epoch.
func (l *Loader) Len() int { return len(l.indices) }

// Set is what the stream is drawn from.
func (l *Loader) Set() *Set { return l.set }

// StepsPerEpoch is ⌊n/(Ranks·B)⌋: the rest of an epoch's images is dropped, as in the official
// code. It is at least 1: a stream of fewer images than one step takes runs on into the
// next epochs' orders, so every step is full.
func (l *Loader) StepsPerEpoch() int { return max(1, len(l.indices)/(l.o.Batch*l.o.Ranks)) }

// Batch writes the batch of a step to dst (B,C,H,W), in [-1,1] before noise, and its classes
// to labels (B).
func (l *Loader) Batch(step int, dst []float32, labels []int32) {
	d := l.set.Dim()
	var made []uint8
	canvas := l.augment.canvas()
	if l.distort != nil {
		made = make([]uint8, d)
	}
	for b := range l.o.Batch {
		slot := l.o.Rank*l.o.Batch + b
		i := l.index(step, slot)
		labels[b] = l.set.Labels[i]
		image := l.set.Image(i)
		if l.distort != nil {
			l.distort.apply(made, i, step, slot)
			image = made
		}
		l.augment.apply(dst[b*d:(b+1)*d], image, l.o.Noise.At(step, slot), l.o.Strong.At(step, slot), canvas)
	}
}

// NewBatch returns a batch of the stream's size.
func (l *Loader) NewBatch() *Batch { return NewBatch(l.o.Batch, l.set.C, l.set.H, l.set.W) }

// index is the image in a slot of a step's joint batch.
func (l *Loader) index(step, slot int) int {
	joint := l.o.Batch * l.o.Ranks
	if len(l.indices) < joint {
		return l.at(step*joint + slot)
	}
	steps := l.StepsPerEpoch()
	return l.at(step/steps*len(l.indices) + step%steps*joint + slot)
}

// at is the image at a position of the endless row of shuffled epochs.
func (l *Loader) at(position int) int {
	epoch := position / len(l.indices)
	l.mu.Lock()
	defer l.mu.Unlock()
	if epoch != l.epoch {
		if l.order == nil {
			l.order = make([]int, len(l.indices))
		}
		l.o.Order.At(epoch, 0).Perm(l.order)
		l.epoch = epoch
	}
	return l.indices[l.order[position%len(l.indices)]]
}

// all is 0 … N−1.
func all(s *Set) []int {
	p := make([]int, s.Len())
	for i := range p {
		p[i] = i
	}
	return p
}
