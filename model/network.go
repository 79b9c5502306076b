package model

import (
	"fmt"

	"jem/backend"
	"jem/backend/philox"
)

// Network computes the K logits of images: parameters, and what Config.Network says is done with them.
type Network struct {
	Config Config
	Params *Params
	Stats  []Stat // running statistics of batch norms; empty otherwise

	body
}

// body is what differs from one kind of network to another.
type body interface {
	// Forward computes the logits (N,K) of images x (N,C,H,W), N at most the planned batch.
	// The result belongs to the network and is overwritten by the next Forward.
	Forward(x backend.Tensor, m Mode) backend.Tensor

	// InputGrad assigns dx (N,C,H,W) the gradient of Σ dlogits·logits with respect to the
	// images of the last Forward. Parameter gradients are left alone.
	InputGrad(dx, dlogits backend.Tensor)

	// ParamGrad accumulates the gradient of Σ dlogits·logits with respect to the parameters
	// into Params.Grad, for the last Forward. settled, which may be nil, is told on the way from
	// which element on all has been added, see backend.Settled; from element 0 the last time.
	ParamGrad(dlogits backend.Tensor, settled func(from int))

	// Features are the inputs of the last, linear layer in the last Forward, Dense
	// (N,Config.Features). They are the network's until the next Forward.
	Features() backend.Tensor

	// Activations lists the LeakyReLU outputs of the last Forward, Image (N,C,H,W) or Dense (N,units)
	// each, in the order of computation. InputGrad and ParamGrad take the derivative at a unit, 1 or the
	// slope, from the sign found here. They belong to the network.
	Activations() []backend.Tensor
}

// Stat is a named running statistic, part of a model's state but not trained.
type Stat struct {
	Name  string
	Value backend.Tensor // Dense (C)
}

// New plans the network for batches of at most maxBatch images, with initial parameters
// from the seed. The configuration must be valid.
func New(dev backend.Device, c Config, maxBatch int, seed uint64) (*Network, error) {
	n, err := Plan(dev, c, maxBatch)
	if err == nil {
		n.Params.Init(dev, seed)
	}
	return n, err
}

// Plan is New without initial parameters.
func Plan(dev backend.Device, c Config, maxBatch int) (*Network, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	n := &Network{Config: c, Params: c.layout().allocate(dev)}
	if c.Network == MLP {
		n.body = newMLP(dev, c, n.Params, maxBatch)
		return n, nil
	}
	r := newWideResNet(dev, c, n.Params, maxBatch)
	n.body, n.Stats = r, r.Stats
	return n, nil
}

// Layout lists the parameters' names, shapes and offsets, without values, in the order of the
// official state dict. The configuration must be valid.
func (c Config) Layout() []Param {
	list, total := c.layout().list, 0
	for i := range list {
		list[i].Offset = total
		total += product(list[i].Shape)
	}
	return list
}

// layout lists the parameters in their order.
func (c Config) layout() *layout {
	if c.Network == MLP {
		return c.perceptron()
	}
	return c.residual()
}

// Mode says what kind of pass a Forward is.
type Mode struct {
	// Train drops units, if the network's dropout rate isn't 0; else the pass is deterministic.
	Train bool
	// Norm says which statistics batch norms use; with the running ones samples do not
	// influence each other.
	Norm backend.NormMode
	// DropKey is the stream of dropout masks.
	DropKey philox.Key
}

// at is the mode of block or layer i, whose dropout mask differs from the others'.
func (m Mode) at(i int) Mode {
	m.DropKey.Sub += uint32(i)
	return m
}

// reach tells settled, which may be nil, that gradients from an element on have been added.
func reach(d backend.Device, settled func(from int), from int) {
	if settled != nil {
		backend.Settled(d, func() { settled(from) })
	}
}
