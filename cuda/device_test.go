//go:build cuda && linux && amd64

package cuda_test

import (
	"slices"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/comm"
	"jem/config"
	"jem/cuda"
	"jem/feed"
	"jem/predict"
	"jem/train"
	"jem/train/step"
)

func open(t testing.TB, o cuda.Options) backend.Device {
	t.Helper()
	d, err := cuda.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return d
}

func openCPU(t testing.TB) backend.Device {
	t.Helper()
	d, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// garments is a small data set in Fashion-MNIST's shape, scaled down: grey images of 8×8
// pixels, class y a bar in row y with noise.
type garments struct{ batch int }

const (
	imageSize = 8
	classes   = 8
)

func (g garments) StepsPerEpoch() int { return 8 }

func (g garments) Batch(step int) ([]float32, []int32, error) {
	const pixels = imageSize * imageSize
	images, labels := make([]float32, g.batch*pixels), make([]int32, g.batch)
	philox.New(3, 0, philox.Test).At(step%8, 0).FillNormal(images)
	for i := range labels {
		y := (i + step) % classes
		labels[i] = int32(y)
		for p := range pixels {
			images[i*pixels+p] *= 0.1
			if p/imageSize == y {
				images[i*pixels+p]++
			}
		}
	}
	return images, labels, nil
}

type uniformStart struct{}

func (uniformStart) Fill(dst []float32, _ []int32, key philox.Key) { key.FillUniform(dst, -1, 1) }

// smallRun is a training run of WRN-10-1 on garments with the objective and sampler of the
// preset fashion-demo, steps long.
func smallRun(steps int) (config.Config, feed.Sources) {
	const batch = 8
	c := config.Default()
	c.Model = config.Model{Depth: 10, Width: 1, Norm: "none", Slope: 0.2}
	c.Objective = config.Objective{PX: 0.3, PYX: 1, L2: 0.03}
	c.Sampler = config.Sampler{Steps: 5, StepSize: 1, Noise: 0.01, GradClip: 1, Clamp: true, Buffer: 64, Reinit: 0.05, Start: "uniform"}
	c.Optim = config.Optim{Name: "adam", LR: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, EMA: 0.99}
	c.Train = config.Loop{Batch: batch, Steps: steps, Epochs: 1, SampleEvery: 1 << 20, SaveEvery: 1 << 20, EvalEvery: 1 << 20, MaxLoss: 1e8}
	c.Guard = config.Guard{Saturation: 1, Window: 100, LRFactor: 1}
	names := make([]string, classes)
	for i := range names {
		names[i] = string(rune('a' + i))
	}
	stream := garments{batch}
	return c, feed.Sources{PX: stream, Labeled: stream, Start: uniformStart{}, Classes: names, Channels: 1, Size: imageSize}
}

// losses are what a run shows step by step.
type losses struct {
	steps []step.Record
	after func(step int) // called after each step, if not nil
}

func (l *losses) Step(r *step.Record) error {
	l.steps = append(l.steps, *r)
	if l.after != nil {
		l.after(r.Step)
	}
	return nil
}
func (l *losses) Evaluated(int, *predict.Judgement) error               { return nil }
func (l *losses) Sampled(int, *predict.Samples) error                   { return nil }
func (l *losses) Saved(int, string) error                               { return nil }
func (l *losses) RolledBack(*train.DivergedError, train.Rollback) error { return nil }
func (l *losses) Note(int, string) error                                { return nil }

// trained runs smallRun on a device and returns its losses and the final weights.
func trained(t testing.TB, d backend.Device, steps int, after func(step int)) ([]step.Record, []float32) {
	t.Helper()
	c, src := smallRun(steps)
	tr, err := train.New(d, c, src, comm.Local{})
	if err != nil {
		t.Fatal(err)
	}
	l := &losses{after: after}
	if err := tr.Run(t.Context(), l, nil); err != nil {
		t.Fatal(err)
	}
	p := tr.Model().Net.Params
	weights := make([]float32, p.Len())
	if err := d.Download(weights, p.Value); err != nil {
		t.Fatal(err)
	}
	return l.steps, weights
}

// A replayed chain leads where the same calls lead one by one, bit for bit.
func TestReplayedChainsAreThePlainOnes(t *testing.T) {
	for _, o := range []cuda.Options{{ConvEngine: "graph"}, {ConvEngine: "legacy"}, {Precision: "bf16"}, {Precision: "tf32", Scope: "all"}, {Precision: "bf16", Scope: "all", ConvEngine: "legacy"}} {
		plain := o
		plain.NoGraph = true
		_, want := trained(t, open(t, plain), 4, nil)
		_, got := trained(t, open(t, o), 4, nil)
		if !slices.Equal(got, want) {
			t.Errorf("%+v: replaying leads elsewhere", o)
		}
	}
}
