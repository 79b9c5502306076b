package ood

import (
	"fmt"

	"jem/backend/philox"
	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
)

// interpolation walks the in-distribution images shuffled.
func interpolation(p *predict.Predictor, own feed.Chosen, o Options) (feed.Images, error) {
	n := len(own.Indices)
	if n <= feed.EvalBatch {
		return nil, &fault.Error{Kind: fault.ErrBad, Reason: fmt.Sprintf("interp: %d %s images, want more than %d", n, own.Split, feed.EvalBatch)}
	}
	key := philox.New(p.Config.Seed, 0, philox.EvalNoise)
	order := make([]int, n)
	key.At(0, 1).Perm(order)
	if o.Limit > 0 {
		order = order[:min(n, o.Limit+feed.EvalBatch)]
	}
	for i, of := range order {
		order[i] = own.Indices[of]
	}
	images, err := p.Source().Walk(own.Set, order, o.Noise)
	return &interpolated{Images: images, noise: o.Noise, key: key, pixels: own.Set.Dim()}, err
}

// interpolated are the means of images 100 apart in a shuffled walk, each with its own
// noise, plus noise once more: the published cifar_interp. The first batch has no
// predecessor, so 10,000 images make 9,900.
type interpolated struct {
	feed.Images
	noise  float32
	key    philox.Key
	pixels int

	before, fresh []float32
	labels        []int32
}

// Len implements Images.
func (m *interpolated) Len() int { return max(0, m.Images.Len()-feed.EvalBatch) }

// Batches implements Images.
func (m *interpolated) Batches() int { return m.Images.Batches() - 1 }

// Batch implements Images.
func (m *interpolated) Batch(i int, images []float32, labels []int32) int {
	if m.before == nil {
		m.before, m.fresh = make([]float32, feed.EvalBatch*m.pixels), make([]float32, feed.EvalBatch*m.pixels)
		m.labels = make([]int32, feed.EvalBatch)
	}
	m.Images.Batch(i, m.before, m.labels)
	n := m.Images.Batch(i+1, images, labels)
	if m.noise > 0 {
		m.key.At(i, 2).FillNormal(m.fresh[:n*m.pixels])
	}
	for j := range images[:n*m.pixels] {
		images[j] = (images[j]+m.before[j])/2 + m.noise*m.fresh[j]
	}
	return n
}
