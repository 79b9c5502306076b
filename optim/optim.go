// Package optim holds the optimisers, the schedule of their learning rate and the
// moving average of weights. They see parameters as one flat tensor.
//
// It does not know where gradients come from.
package optim

import (
	"fmt"

	"jem/backend"
)

// Optimizer moves parameters against their gradient. Its whole state is its tensors and
// the number of steps taken.
type Optimizer interface {
	// Step updates the parameters with learning rate lr; step counts from 0 and must grow
	// by one each call; the gradient is multiplied by scale first (norm clipping).
	Step(lr, scale float32, step int)
	// State names the tensors that must be saved to continue exactly.
	State() []State
}

// State is a named tensor of an optimiser.
type State struct {
	Name  string
	Value backend.Tensor
}

// Adam is Adam (Kingma & Ba 2015) as in PyTorch; the published runs use β = (0.9, 0.999),
// ε = 1e-8.
type Adam struct {
	Beta1, Beta2, Eps, WeightDecay float32

	dev        backend.Device
	p, g, m, v backend.Tensor
}

// NewAdam returns Adam with zero moments for parameters p and their gradient g.
func NewAdam(d backend.Device, p, g backend.Tensor, beta1, beta2, eps, weightDecay float32) *Adam {
	n := backend.Len(p)
	return &Adam{
		Beta1: beta1, Beta2: beta2, Eps: eps, WeightDecay: weightDecay,
		dev: d, p: p, g: g, m: d.New(backend.Dense, n), v: d.New(backend.Dense, n),
	}
}

// Step implements Optimizer.
func (a *Adam) Step(lr, scale float32, step int) {
	a.dev.AdamStep(a.p, a.g, a.m, a.v, backend.Adam{
		LR: lr, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps,
		WeightDecay: a.WeightDecay, GradScale: scale, Step: step + 1,
	})
	a.dev.ParamsChanged()
}

// State implements Optimizer.
func (a *Adam) State() []State { return []State{{"adam.m", a.m}, {"adam.v", a.v}} }

// SGD is stochastic gradient descent with momentum, as in PyTorch (no dampening, no
// Nesterov).
type SGD struct {
	Momentum, WeightDecay float32

	dev     backend.Device
	p, g, m backend.Tensor
}

// NewSGD returns SGD with an empty momentum buffer for parameters p and their gradient g.
func NewSGD(d backend.Device, p, g backend.Tensor, momentum, weightDecay float32) *SGD {
	return &SGD{Momentum: momentum, WeightDecay: weightDecay, dev: d, p: p, g: g, m: d.New(backend.Dense, backend.Len(p))}
}

// Step implements Optimizer.
func (s *SGD) Step(lr, scale float32, step int) {
	s.dev.SGDStep(s.p, s.g, s.m, backend.SGD{
		LR: lr, Momentum: s.Momentum, WeightDecay: s.WeightDecay, GradScale: scale, First: step == 0,
	})
	s.dev.ParamsChanged()
}

// State implements Optimizer.
func (s *SGD) State() []State { return []State{{"sgd.momentum", s.m}} }

// Names are those that New knows. The names of an optimiser's states begin with its own and a dot.
var Names = []string{"adam", "sgd"}

// New returns the optimiser with the given name, adam or sgd.
func New(name string, d backend.Device, p, g backend.Tensor, h Hyper) (Optimizer, error) {
	switch name {
	case "adam":
		return NewAdam(d, p, g, h.Beta1, h.Beta2, h.Eps, h.WeightDecay), nil
	case "sgd":
		return NewSGD(d, p, g, h.Momentum, h.WeightDecay), nil
	}
	return nil, fmt.Errorf("unknown optimizer %q: want adam or sgd", name)
}

// Hyper are the constants of all optimisers; each takes its own.
type Hyper struct{ Beta1, Beta2, Eps, Momentum, WeightDecay float32 }
