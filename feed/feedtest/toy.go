// Package feedtest has a data set and a configuration for tests of what trains.
package feedtest

import (
	"jem/backend/philox"
	"jem/config"
	"jem/feed"
	"jem/sampler"
)

// Toy is a data set of 8×8 grey images: class y lights quarter y, plus noise.
type Toy struct{ N, StepBatch int }

// Sizes of a Toy.
const (
	ToySize    = 8
	ToyClasses = 4
	ToyPixels  = ToySize * ToySize
)

// Len implements feed.Images.
func (s Toy) Len() int { return s.N }

// StepsPerEpoch implements feed.Stream.
func (s Toy) StepsPerEpoch() int { return s.N / s.StepBatch }

// Batches implements feed.Images.
func (s Toy) Batches() int { return (s.N + feed.EvalBatch - 1) / feed.EvalBatch }

// Batch implements feed.Images.
func (s Toy) Batch(i int, images []float32, labels []int32) int {
	n := min(feed.EvalBatch, s.N-i*feed.EvalBatch)
	s.read(i*feed.EvalBatch, images[:n*ToyPixels], labels[:n])
	return n
}

func (s Toy) read(lo int, images []float32, labels []int32) {
	for i := range labels {
		y := (lo + i) % ToyClasses
		labels[i] = int32(y)
		img := images[i*ToyPixels : (i+1)*ToyPixels]
		philox.New(uint64(lo+i), 0, philox.Test).FillNormal(img)
		for p := range img {
			img[p] *= 0.1
			if p/(ToyPixels/2) == y/2 && p%ToySize/(ToySize/2) == y%2 {
				img[p] += 1
			}
		}
	}
}

// Training is the training stream of a Toy.
type Training struct{ Toy }

// Batch implements feed.Stream.
func (s Training) Batch(step int) ([]float32, []int32, error) {
	images, labels := make([]float32, s.StepBatch*ToyPixels), make([]int32, s.StepBatch)
	s.read(step*s.StepBatch%s.N, images, labels)
	return images, labels, nil
}

// ToySources trains on 64 images and tests on 150, from uniform noise.
func ToySources(batch int) feed.Sources {
	s := Training{Toy{64, batch}}
	return feed.Sources{
		PX: s, Labeled: s, Test: Toy{150, 1}, Start: sampler.Uniform{},
		Classes: []string{"a", "b", "c", "d"}, Channels: 1, Size: ToySize,
	}
}

// ToyConfig are 30 short and wild steps of a small network.
func ToyConfig() config.Config {
	return config.Config{
		Seed:      1,
		Model:     config.Model{Depth: 10, Width: 1, Norm: "none", Slope: 0.2},
		Objective: config.Objective{PX: 0.3, PYX: 1, L2: 0.001},
		Sampler:   config.Sampler{Steps: 3, StepSize: 1, Noise: 0.01, GradClip: 1, Clamp: true, Buffer: 40, Reinit: 0.05, Start: "uniform"},
		Optim:     config.Optim{Name: "adam", LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8},
		Train:     config.Loop{Batch: 8, Epochs: 1, Steps: 30, MaxLoss: 1e8},
		Guard:     config.Guard{Saturation: 1, Window: 100, LRFactor: 1}, // MaxLoss alone: these runs are short and wild
	}
}
