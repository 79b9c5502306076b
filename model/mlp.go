package model

import (
	"fmt"

	"jem/backend"
)

// HiddenLayers begins the names of a multilayer perceptron's hidden layers, before their numbers from 0.
const HiddenLayers = "f.hidden."

// mlp is a multilayer perceptron: the image as a row of C·H·W numbers in NCHW order, Depth hidden layers of
// Width units, each linear with LeakyReLU behind it, and a linear layer to K logits. It takes images of
// any size and number of channels; points of a plane are images of 2 channels and one pixel.
//
// Dropout acts on a hidden layer's output.
type mlp struct {
	c       Config
	dev     backend.Device
	layers  []linear // hidden ones, then the classes
	offsets []int    // of each layer's first parameter
	passes  map[int]*mlpPass
	memory  memory
	last    *mlpPass
}

// mlpPass is the working memory for one batch size, and the last Forward's mode.
type mlpPass struct {
	mode   Mode
	in     []backend.Tensor // of each layer, Dense: the pixels, then activations
	grads  []backend.Tensor // of these
	logits backend.Tensor
}

// perceptron lists the parameters of a multilayer perceptron.
func (c Config) perceptron() *layout {
	l, in := &layout{}, c.Pixels()
	for i := range c.Depth {
		l.linear(hidden(i), c.Width, in)
		in = c.Width
	}
	l.linear("class_output", c.Classes, in)
	return l
}

// hidden is the name of a hidden layer.
func hidden(i int) string { return fmt.Sprintf("%s%d", HiddenLayers, i) }

func newMLP(dev backend.Device, c Config, params *Params, maxBatch int) *mlp {
	n := &mlp{c: c, dev: dev, passes: map[int]*mlpPass{}, memory: newMemory(dev, maxBatch)}
	for i := range c.Depth {
		n.add(params, hidden(i))
	}
	n.add(params, "class_output")
	n.at(maxBatch)
	return n
}

func (n *mlp) add(params *Params, name string) {
	n.layers = append(n.layers, params.linear(name))
	n.offsets = append(n.offsets, params.must(name+".weight").Offset)
}

// at returns the pass for a batch size, building it on first use.
func (n *mlp) at(batch int) *mlpPass {
	if p, ok := n.passes[batch]; ok {
		return p
	}
	n.memory.check(batch)
	p := &mlpPass{}
	for i := range n.layers {
		units := n.c.Width
		if i == 0 {
			units = n.c.Pixels()
		}
		p.in = append(p.in, n.input(batch, i, units))
		p.grads = append(p.grads, n.memory.view(batch, n.gradient(i), backend.Dense, units))
	}
	p.logits = n.memory.kept(batch, "logits", n.c.Classes)
	n.passes[batch] = p
	return p
}

// input is the working memory for a layer's input; the last one's, the features, outlives passes.
func (n *mlp) input(batch, i, units int) backend.Tensor {
	name := fmt.Sprintf("in/%d", i)
	if i == len(n.layers)-1 {
		return n.memory.kept(batch, name, units)
	}
	return n.memory.view(batch, name, backend.Dense, units)
}

// gradient names the memory for the gradient of a layer's input: hidden layers take turns with two.
func (n *mlp) gradient(i int) string {
	if i == 0 {
		return "grad/pixels"
	}
	return fmt.Sprintf("grad/%d", i%2)
}

// Forward implements body.
func (n *mlp) Forward(x backend.Tensor, m Mode) backend.Tensor {
	p, d, classes := n.at(x.Shape()[0]), n.dev, len(n.layers)-1
	p.mode, n.last = m, p
	d.Copy(p.in[0], x)
	for i, l := range n.layers[:classes] {
		h := p.in[i+1]
		d.Linear(h, p.in[i], l.w, l.b)
		d.LeakyReLU(h, h, n.c.Slope)
		n.drop(h, m, i)
	}
	d.Linear(p.logits, p.in[classes], n.layers[classes].w, n.layers[classes].b)
	return p.logits
}

// drop applies hidden layer i's dropout mask in place, to activations or to their gradient.
func (n *mlp) drop(t backend.Tensor, m Mode, i int) {
	if m.Train && n.c.Dropout > 0 {
		n.dev.Dropout(t, t, m.at(i).DropKey, n.c.Dropout)
	}
}

// InputGrad implements body.
func (n *mlp) InputGrad(dx, dlogits backend.Tensor) {
	n.backward(dlogits, nil, false)
	n.dev.Copy(dx, n.last.grads[0])
}

// ParamGrad implements body.
func (n *mlp) ParamGrad(dlogits backend.Tensor, settled func(from int)) {
	n.backward(dlogits, settled, true)
}

// backward goes from the logits to the first layer: down to the pixels, or for the parameters' gradients down to
// those of the first layer.
func (n *mlp) backward(dlogits backend.Tensor, settled func(from int), params bool) {
	p, d, dy := n.last, n.dev, dlogits
	for i := len(n.layers) - 1; i >= 0; i-- {
		l, g := n.layers[i], p.grads[i]
		if params {
			d.LinearParamGrad(l.dw, l.db, p.in[i], dy)
			reach(d, settled, n.offsets[i])
		}
		if i == 0 && params {
			return
		}
		d.LinearInputGrad(g, dy, l.w)
		if i > 0 {
			n.drop(g, p.mode, i-1)
			d.LeakyReLUGrad(g, g, p.in[i], n.c.Slope)
		}
		dy = g
	}
}

// Features implements body: the last hidden layer.
func (n *mlp) Features() backend.Tensor { return n.last.in[len(n.layers)-1] }

// Activations implements body.
func (n *mlp) Activations() []backend.Tensor { return n.last.in[1:] }
