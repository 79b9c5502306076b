package eval

import (
	"jem/backend"
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
type still struct{ *model.Network }

// Forward implements attack.Network.
func (s still) Forward(x backend.Tensor) backend.Tensor {
	return s.Network.Forward(x, model.Mode{})
}
