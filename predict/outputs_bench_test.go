package predict

import (
	"context"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/config"
	"jem/feed"
	"jem/internal/data"
	"jem/model"
)

// BenchmarkOutputs compares what evaluation takes for an image, log p(x) and approximate mass of
// noisy pictures, with the device's work alone: a forward and a backward pass to the pixels.
func BenchmarkOutputs(b *testing.B) {
	dev, err := cpu.Open(cpu.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer dev.Close()
	cfg := config.Default()
	cfg.Data.Noise, cfg.Data.EvalNoise = 0.03, true
	p := &Predictor{Config: cfg, dev: dev}
	if p.net, err = model.New(dev, model.Config{Depth: 10, Width: 2, Slope: 0.2, Classes: 10, InC: 3, Size: 32}, feed.EvalBatch, 1); err != nil {
		b.Fatal(err)
	}
	p.eval = NewEvaluator(dev, p.net)
	set := &data.Set{C: 3, H: 32, W: 32, Labels: make([]int32, feed.EvalBatch), Pixels: make([]uint8, feed.EvalBatch*3072), Classes: make([]string, 10)}
	images, err := data.NewEval(set, nil, feed.EvalBatch, 0.03, philox.New(1, 0, philox.EvalNoise))
	if err != nil {
		b.Fatal(err)
	}
	perImage := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*feed.EvalBatch/b.Elapsed().Seconds(), "images/s")
	}
	b.Run("device", func(b *testing.B) {
		jem, g := model.NewJEM(dev, p.net), dev.New(backend.Image, feed.EvalBatch, 3, 32, 32)
		for b.Loop() {
			jem.LogDensityGrad(g, p.Batch().x)
			if err := dev.Sync(); err != nil {
				b.Fatal(err)
			}
		}
		perImage(b)
	})
	for _, c := range []struct {
		name string
		want Want
	}{
		{"logits", Want{}}, {"paper", Want{Gradients: true}}, {"features", Want{Gradients: true, Features: true}}, {"odin", Want{Gradients: true, ODIN: &PublishedODIN}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := p.Gather(context.Background(), "noise", images, c.want, nil); err != nil {
					b.Fatal(err)
				}
			}
			perImage(b)
		})
	}
}
