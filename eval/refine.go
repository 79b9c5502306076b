package eval

import (
	"context"

	"jem/backend"
	"jem/backend/philox"
	"jem/eval/attack"
	"jem/feed"
	"jem/model"
	"jem/predict"
	"jem/sampler"
)

// refineStep and refineNoise are α and σ of refinement before an answer, as published.
const refineStep, refineNoise = 1, 0.01

// Refined is the predictor JEM-k: so many noisy copies of each image move k SGLD steps up
// log p(x) before their logits are averaged.
func Refined(p *predict.Predictor, k, copies int, noise float32) *attack.Refined {
	c := p.Net().Config
	return attack.NewRefined(p.Device(), attack.RefinedOptions{
		Chains: copies, Noise: noise, SGLD: sampler.SGLD{Steps: k, StepSize: refineStep, Noise: refineNoise},
		Density: model.NewJEM(p.Device(), p.Net()), Net: still{p.Net()}, Classes: c.Classes, Shape: []int{c.InC, c.Size, c.Size}, Rows: feed.EvalBatch,
	})
}

// still is a network in the mode of evaluation.
type still struct{ *model.WideResNet }

// Forward implements attack.Network.
func (s still) Forward(x backend.Tensor) backend.Tensor {
	return s.WideResNet.Forward(x, model.Mode{})
}

// refinedAccuracy is the accuracy of JEM-k with one copy of each image (official test_clf with
// n_steps = k). The seed is that of the SGLD noise.
func refinedAccuracy(ctx context.Context, p *predict.Predictor, images feed.Images, split string, k int, seed uint64) (predict.Accuracy, error) {
	a := predict.Accuracy{Split: split, Images: images.Len(), Noise: p.Noise(), EMA: p.Config.Optim.EMA > 0}
	r := Refined(p, k, 1, 0)
	defer r.Close()
	d, classes := len(p.Batch().Images)/feed.EvalBatch, p.Net().Config.Classes
	key := philox.New(seed, 0, philox.SampleNoise)
	for i := range images.Batches() {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		n := images.Batch(i, p.Batch().Images, p.Batch().Labels)
		logits, err := r.Logits(p.Batch().Images[:n*d], n, key.At(i, 0))
		if err != nil {
			return a, err
		}
		for j, y := range p.Batch().Labels[:n] {
			a.Count(logits[j*classes:(j+1)*classes], y)
		}
	}
	a.Average()
	return a, nil
}
