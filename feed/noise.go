package feed

import (
	"jem/backend/philox"
	"jem/sampler"
)

// Noise gives one batch of noise again and again, and one of so many labelled images.
func Noise(batch, labeled, channels, size, classes int) Sources {
	stream := func(batch int) Stream {
		n := &noise{images: make([]float32, batch*channels*size*size), labels: make([]int32, batch)}
		key := philox.New(0, 0, philox.Test)
		key.FillUniform(n.images, -1, 1)
		for i := range n.labels {
			n.labels[i] = int32(key.IntN(uint64(i), classes))
		}
		return n
	}
	return Sources{PX: stream(batch), Labeled: stream(labeled), Outliers: stream(batch), Start: sampler.Uniform{}, Gaussian: sampler.Uniform{}, Classes: make([]string, classes), Channels: channels, Size: size}
}

type noise struct {
	images []float32
	labels []int32
}

// Batch implements Stream.
func (n *noise) Batch(int) ([]float32, []int32, error) { return n.images, n.labels, nil }

// StepsPerEpoch implements Stream.
func (n *noise) StepsPerEpoch() int { return 1 }
