package backend

import "jem/backend/philox"

// Chainer is what a device may offer besides Device: it takes the K steps of a sampling
// chain as a whole, since most of training is spent in them. NewChain makes a chain on any
// device.
type Chainer interface {
	// NewChain plans steps many calls of step, for k = 0, 1, …, steps−1. The chain's key
	// with Sub raised by k is step k's.
	//
	// Of step the device may rely on this:
	//
	//   - For one k it always makes the same calls on the same tensors with the same numbers.
	//     What differs from run to run is the key (its First, too) and what the tensors hold: labels, the
	//     chains' images, the centres of Project, parameters.
	//   - It gives the device no key but its own, or that From a number of elements that is the
	//     same in every run.
	//   - Of plans it calls Forward and InputGrad only. It doesn't change parameters; between
	//     runs they do change, and ParamsChanged says so.
	//   - It doesn't wait: no Sync, no Download. New, Upload and plans may come in the first
	//     run, when a network meets a batch size for the first time, not in later ones.
	//
	// So the device may record the calls of a run after the first one and replay them with
	// another key (a CUDA graph), keep signs where only signs of activations are asked for
	// later, or compute with the precision that it was opened with for chains.
	NewChain(steps int, step func(k int, key philox.Key)) Chain
}

// Chain is a planned sampling chain. It belongs to its device's goroutine and ends with
// the device.
type Chain interface {
	// Run makes all steps and, like any verb, waits for nothing that it need not; it
	// allocates nothing once it has run twice.
	//
	// Afterwards the tensors that SGLDStep, SignStep, UnitStep and Project moved hold the result, a function of what the
	// tensors held before and the key. What else the steps wrote, activations and
	// gradients, was working memory: its content is undefined.
	Run(key philox.Key)
	// Close gives back what the chain took. The tensors stay.
	Close()
}

// NewChain plans a chain on a device: with the device's own means where it has some, else
// step by step.
func NewChain(d Device, steps int, step func(k int, key philox.Key)) Chain {
	if c, ok := d.(Chainer); ok {
		return c.NewChain(steps, step)
	}
	return PlainChain{Steps: steps, Step: step}
}

// PlainChain makes the calls one by one. It is what a Chainer's own chains mean.
type PlainChain struct {
	Steps int
	Step  func(k int, key philox.Key)
}

// Run implements Chain.
func (c PlainChain) Run(key philox.Key) {
	for k := range c.Steps {
		c.Step(k, key)
		key.Sub++
	}
}

// Close implements Chain.
func (c PlainChain) Close() {}
