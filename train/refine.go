package train

import (
	"context"

	"jem/backend"
	"jem/internal/attack"
	"jem/internal/philox"
	"jem/model"
	"jem/sampler"
)

// refineStep and refineNoise are α and σ of refinement before an answer, as published.
const refineStep, refineNoise = 1, 0.01

// refined is the predictor JEM-k: so many noisy copies of each image move k SGLD steps up
// log p(x) before their logits are averaged.
func (p *Predictor) refined(k, copies int, noise float32) *attack.Refined {
	c := p.net.Config
	return attack.NewRefined(p.dev, attack.RefinedOptions{
		Chains: copies, Noise: noise, SGLD: sampler.SGLD{Steps: k, StepSize: refineStep, Noise: refineNoise},
		Density: model.NewJEM(p.dev, p.net), Net: still{p.net}, Classes: c.Classes, Shape: []int{c.InC, c.Size, c.Size}, Rows: EvalBatch,
	})
}

// still is a network in the mode of evaluation.
type still struct{ *model.WideResNet }

// Forward implements attack.Network.
func (s still) Forward(x backend.Tensor) backend.Tensor {
	return s.WideResNet.Forward(x, model.Mode{})
}

// RefinedAccuracy is Accuracy of JEM-k with one copy of each image (official test_clf with
// n_steps = k). The seed is that of the SGLD noise.
func (p *Predictor) RefinedAccuracy(images Images, split string, k int, seed uint64) (Accuracy, error) {
	return p.refinedAccuracy(context.Background(), images, split, k, seed)
}

func (p *Predictor) refinedAccuracy(ctx context.Context, images Images, split string, k int, seed uint64) (Accuracy, error) {
	a := Accuracy{Split: split, Images: images.Len(), Noise: p.evalNoise(), EMA: p.Config.Optim.EMA > 0}
	r := p.refined(k, 1, 0)
	defer r.Close()
	d, classes := len(p.eval.images)/EvalBatch, p.net.Config.Classes
	key := philox.New(seed, 0, philox.SampleNoise)
	for i := range images.Batches() {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		n := images.Batch(i, p.eval.images, p.eval.labels)
		logits, err := r.Logits(p.eval.images[:n*d], n, key.At(i, 0))
		if err != nil {
			return a, err
		}
		for j, y := range p.eval.labels[:n] {
			a.count(logits[j*classes:(j+1)*classes], y)
		}
	}
	a.average()
	return a, nil
}
