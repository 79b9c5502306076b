package feed

import (
	"jem/backend/philox"
	"jem/sampler"
)

// Noise gives one batch of noise again and again.
func Noise(batch, channels, size, classes int) Sources {
	n := &noise{images: make([]float32, batch*channels*size*size), labels: make([]int32, batch)}
	key := philox.New(0, 0, philox.Test)
	key.FillUniform(n.images, -1, 1)
	for i := range n.labels {
		n.labels[i] = int32(key.IntN(uint64(i), classes))
	}
	return Sources{PX: n, Labeled: n, Start: sampler.Uniform{}, Classes: make([]string, classes), Channels: channels, Size: size}
}

type noise struct {
	images []float32
	labels []int32
}

// Batch implements Stream.
func (n *noise) Batch(int) ([]float32, []int32, error) { return n.images, n.labels, nil }

// StepsPerEpoch implements Stream.
func (n *noise) StepsPerEpoch() int { return 1 }
