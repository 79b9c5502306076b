package bench

import (
	"context"
	"slices"

	"jem/backend"
	"jem/internal/philox"
	"jem/sampler"
	"jem/train"
)

// StepResult is what training steps took.
type StepResult struct {
	Device      backend.Info `json:"device"`
	Depth       int          `json:"depth"`
	Width       int          `json:"width"`
	Batch       int          `json:"batch"`
	SGLDSteps   int          `json:"sgld_steps"`
	Steps       int          `json:"steps"`        // measured, after the warm-up
	StepSeconds float64      `json:"step_seconds"` // median
	MinSeconds  float64      `json:"min_seconds"`
	MaxSeconds  float64      `json:"max_seconds"`
	SGLDSeconds float64      `json:"sgld_seconds"` // of the K SGLD steps together, median
	ConvShare   float64      `json:"conv_share"`   // of the measured time, in convolutions
	ConvGFLOPS  float64      `json:"conv_gflops"`  // rate within convolutions
	GFLOPS      float64      `json:"gflops"`       // convolutions' operations a second of the measured time
	Images      float64      `json:"images_per_second"`
}

// Steps runs warmup+steps training steps of the configuration's network on pictures
// (3,32,32) of noise. The configuration's data set is not read; its replay buffer is kept
// small, which changes no step's cost.
func Steps(ctx context.Context, dev backend.Device, cfg train.Config, warmup, steps int) (StepResult, error) {
	cfg.Train.Steps, cfg.Train.Epochs = warmup+steps, 0
	cfg.Train.SampleEvery, cfg.Train.EvalEvery, cfg.Train.SaveEvery = warmup+steps, warmup+steps, warmup+steps
	cfg.Sampler.Buffer = 2 * max(cfg.Train.Batch, noiseClasses)
	timed := &timedDevice{Device: dev}
	t, err := train.New(timed, cfg, noiseSources(cfg.Train.Batch))
	if err != nil {
		return StepResult{}, err
	}
	w := &watch{timed: timed, skip: warmup}
	if err := t.Run(ctx, w, nil); err != nil {
		return StepResult{}, err
	}
	return w.result(dev, cfg), nil
}

// watch collects the records of the steps after the warm-up.
type watch struct {
	timed   *timedDevice
	skip    int
	seconds []float64
	sgld    []float64
	conv    cost
}

// Step implements train.Observer.
func (w *watch) Step(r *train.Record) error {
	spent := w.timed.take()
	if r.Step <= w.skip {
		return nil
	}
	w.seconds = append(w.seconds, r.Seconds())
	w.sgld = append(w.sgld, r.SampleSeconds)
	w.conv.seconds += spent.seconds
	w.conv.flop += spent.flop
	return nil
}

// Evaluated implements train.Observer.
func (w *watch) Evaluated(int, train.Accuracy) error { return nil }

// Sampled implements train.Observer.
func (w *watch) Sampled(int, *train.Samples) error { w.timed.take(); return nil }

// Saved implements train.Observer.
func (w *watch) Saved(int, string) error { return nil }

// Note implements train.Observer.
func (w *watch) Note(int, string) error { return nil }

func (w *watch) result(dev backend.Device, cfg train.Config) StepResult {
	total := 0.0
	for _, s := range w.seconds {
		total += s
	}
	r := StepResult{
		Device: dev.Info(), Depth: cfg.Model.Depth, Width: cfg.Model.Width, Batch: cfg.Train.Batch,
		SGLDSteps: cfg.Sampler.Steps, Steps: len(w.seconds),
		StepSeconds: median(w.seconds), MinSeconds: slices.Min(w.seconds), MaxSeconds: slices.Max(w.seconds),
		SGLDSeconds: median(w.sgld), ConvShare: w.conv.seconds / total, GFLOPS: w.conv.flop / total / 1e9,
	}
	r.Images = float64(cfg.Train.Batch) / r.StepSeconds
	if w.conv.seconds > 0 {
		r.ConvGFLOPS = w.conv.flop / w.conv.seconds / 1e9
	}
	return r
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

const noiseClasses = 10

// noise is a train.Stream of random pictures, the same at every step.
type noise struct {
	images []float32
	labels []int32
}

func noiseSources(batch int) train.Sources {
	n := &noise{images: make([]float32, batch*3*32*32), labels: make([]int32, batch)}
	philox.New(1, 0, philox.Test).FillUniform(n.images, -1, 1)
	for i := range n.labels {
		n.labels[i] = int32(i % noiseClasses)
	}
	return train.Sources{
		PX: n, Labeled: n, Start: sampler.Uniform{},
		Classes: make([]string, noiseClasses), Channels: 3, Size: 32,
	}
}

// Batch implements train.Stream.
func (n *noise) Batch(int) ([]float32, []int32, error) { return n.images, n.labels, nil }

// StepsPerEpoch implements train.Stream.
func (n *noise) StepsPerEpoch() int { return 1 << 20 }
