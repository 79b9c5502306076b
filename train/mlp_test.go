package train

import (
	"context"
	"math"
	"testing"

	"jem/backend"
	"jem/backend/philox"
	"jem/comm"
	"jem/config"
	"jem/feed"
	"jem/feed/feedtest"
	"jem/model"
	"jem/sampler"
)

// points are images of two numbers: two clouds of std 0.1 around ±(0.5,0.5), one a class.
type points struct{ n, batch int }

func (p points) Len() int           { return p.n }
func (p points) Batches() int       { return (p.n + feed.EvalBatch - 1) / feed.EvalBatch }
func (p points) StepsPerEpoch() int { return p.n / p.batch }

func (p points) read(lo int, images []float32, labels []int32) {
	philox.New(uint64(lo), 0, philox.Test).FillNormal(images)
	for i := range labels {
		labels[i] = int32(i % 2)
		for c := range 2 {
			images[2*i+c] = 0.1*images[2*i+c] + float32(labels[i]) - 0.5
		}
	}
}

// Batch implements feed.Images.
func (p points) Batch(i int, images []float32, labels []int32) int {
	n := min(feed.EvalBatch, p.n-i*feed.EvalBatch)
	p.read(i, images[:2*n], labels[:n])
	return n
}

type pointStream struct{ points }

// Batch implements feed.Stream.
func (p pointStream) Batch(step int) ([]float32, []int32, error) {
	images, labels := make([]float32, 2*p.batch), make([]int32, p.batch)
	p.read(1000+step%p.StepsPerEpoch(), images, labels)
	return images, labels, nil
}

func pointSources(batch int) feed.Sources {
	s := pointStream{points{20 * batch, batch}}
	return feed.Sources{
		PX: s, Labeled: s, Test: points{150, 1}, Start: sampler.Uniform{}, Classes: []string{"left", "right"}, Channels: 2, Size: 1,
	}
}

func pointConfig() config.Config {
	c := feedtest.ToyConfig()
	c.Model = config.Model{Network: model.MLP, Depth: 2, Width: 32, Norm: "none", Slope: 0.2}
	c.Objective = config.Objective{PX: 1, PYX: 1}
	c.Sampler = config.Sampler{Steps: 10, StepSize: 5e-3, Noise: 0.1, Buffer: 400, Reinit: 0.05, Start: "uniform"}
	c.Train.Batch, c.Train.Steps = 40, 400
	return c
}

// A perceptron learns the classes of points, and that log p(x) is larger where there are some.
func TestTrainingLearnsPoints(t *testing.T) {
	d, cfg := open(t, 0), pointConfig()
	tr, err := New(d, cfg, pointSources(cfg.Train.Batch), comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	if err := tr.Run(context.Background(), r, nil); err != nil {
		t.Fatal(err)
	}
	if got := r.evals[len(r.evals)-1]; got.Accuracy < 0.99 {
		t.Errorf("accuracy %v of clouds that are 7 standard deviations apart", got.Accuracy)
	}
	x, lse := d.New(backend.Image, 3, 2, 1, 1), d.New(backend.Dense, 3)
	d.Upload(x, []float32{-0.5, -0.5, 0.5, 0.5, 0.8, -0.8})
	tr.Model().LogPx(lse, x)
	at := make([]float32, 3)
	if err := d.Download(at, lse); err != nil {
		t.Fatal(err)
	}
	if lowest := math.Min(float64(at[0]), float64(at[1])); !(lowest > float64(at[2])+1) {
		t.Errorf("log p(x) %v at the clouds' centres and where no data is: want it larger there by a nat and more", at)
	}
}
