package model

import (
	"fmt"

	"jem/backend"
	"jem/backend/philox"
)

// stemChannels is the width of the first feature map, whatever the widen factor.
const stemChannels = 16

// WideResNet is the published JEM network: a 3×3 stem, three stages of pre-activation
// blocks, LeakyReLU, average pooling and a linear layer to K logits. It differs from the
// textbook Wide-ResNet: the stride sits on a block's second convolution, the shortcut
// convolves the raw block input, every convolution has a bias, and there is no norm
// unless asked for. (Official wideresnet.py.)
//
// Pooling is global; the published 8×8 window is the same at 32×32 pixels.
type WideResNet struct {
	Config Config
	Params *Params
	Stats  []Stat // running statistics of batch norms; empty otherwise

	dev     backend.Device
	stem    layer
	blocks  []*block
	tail    *normLayer // nil without norm
	classes linear
	behind  int           // the first parameter behind the blocks
	passes  map[int]*pass // by batch size
	memory  memory
	last    *pass // of the last Forward, for the gradients
}

// Stat is a named running statistic, part of a model's state but not trained.
type Stat struct {
	Name  string
	Value backend.Tensor // Dense (C)
}

type linear struct{ w, b, dw, db backend.Tensor }

// New plans the network for batches of at most maxBatch images, with initial parameters
// from the seed. The configuration must be valid.
func New(dev backend.Device, c Config, maxBatch int, seed uint64) (*WideResNet, error) {
	n, err := Plan(dev, c, maxBatch)
	if err == nil {
		n.Params.Init(dev, seed)
	}
	return n, err
}

// Plan is New without initial parameters.
func Plan(dev backend.Device, c Config, maxBatch int) (*WideResNet, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	n := &WideResNet{Config: c, dev: dev, passes: map[int]*pass{}}
	n.Params = c.layout().allocate(dev)
	n.plan(maxBatch)
	n.memory = memory{batch: maxBatch, dev: dev, tensors: map[string]backend.Tensor{}}
	n.at(maxBatch)
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

// layout lists the parameters in the order of the official state dict.
func (c Config) layout() *layout {
	l := &layout{}
	_, normed := c.normKind()
	l.conv("f.conv1", stemChannels, c.InC, 3)
	in := stemChannels
	c.eachBlock(func(name string, stage, stride int) {
		out := c.stageChannels(stage)
		if normed {
			l.norm(name+".bn1", in)
		}
		l.conv(name+".conv1", out, in, 3)
		if normed {
			l.norm(name+".bn2", out)
		}
		l.conv(name+".conv2", out, out, 3)
		if stride != 1 || in != out {
			l.conv(name+".shortcut.0", out, in, 1)
		}
		in = out
	})
	if normed {
		l.norm("f.bn1", in)
	}
	l.linear("class_output", c.Classes, in)
	return l
}

// eachBlock calls f for every block in order with its name, stage and stride.
func (c Config) eachBlock(f func(name string, stage, stride int)) {
	for s := range 3 {
		for i := range c.blocksPerStage() {
			stride := 1
			if s > 0 && i == 0 {
				stride = 2
			}
			f(fmt.Sprintf("f.layer%d.%d", s+1, i), s, stride)
		}
	}
}

// plan makes the device's plans for every layer.
func (n *WideResNet) plan(batch int) {
	c, size, in := n.Config, n.Config.Size, stemChannels
	n.stem = n.layer("f.conv1", backend.ConvSpec{N: batch, InC: c.InC, H: size, W: size, OutC: in, Kernel: 3, Stride: 1, Pad: 1, Slope: c.Slope})
	c.eachBlock(func(name string, stage, stride int) {
		b := n.newBlock(name, batch, in, c.stageChannels(stage), size, stride)
		n.blocks = append(n.blocks, b)
		in, size = b.out, size/stride
	})
	if n.tail = n.norm("f.bn1", in, size); n.tail == nil {
		n.behind = n.Params.must("class_output.weight").Offset
	} else {
		n.behind = n.Params.must("f.bn1.weight").Offset
	}
	w, b := n.Params.must("class_output.weight"), n.Params.must("class_output.bias")
	n.classes = linear{w: w.Value, b: b.Value, dw: w.Grad, db: b.Grad}
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

// Forward computes the logits (N,K) of images x (N,C,H,W), N at most the planned batch.
// The result belongs to the network and is overwritten by the next Forward.
func (n *WideResNet) Forward(x backend.Tensor, m Mode) backend.Tensor {
	p := n.at(x.Shape()[0])
	p.mode, p.x = m, x
	n.last = p
	d := n.dev
	n.stem.Forward(p.stemRaw, p.stemAct, x, nil)
	for i, b := range n.blocks {
		b.forward(d, &p.blocks[i], m.at(i))
	}
	if n.tail != nil {
		n.tail.forward(p.features, p.outRaw, m)
		d.LeakyReLU(p.features, p.features, n.Config.Slope)
	}
	d.AvgPool(p.pooled, p.features)
	d.Linear(p.logits, p.pooled, n.classes.w, n.classes.b)
	return p.logits
}

// Features are the inputs of the linear layer in the last Forward, Dense (N,64·Width): the
// last feature map averaged over pixels. They are the network's until the next Forward.
func (n *WideResNet) Features() backend.Tensor { return n.last.pooled }

// Activations lists the LeakyReLU outputs of the last Forward, Image (N,C,H,W) each, in the
// order of computation. InputGrad and ParamGrad take the derivative at a unit, 1 or the
// slope, from the sign found here. They belong to the network.
func (n *WideResNet) Activations() []backend.Tensor {
	var all []backend.Tensor
	for _, b := range n.last.blocks {
		all = append(all, b.a, b.h)
	}
	return append(all, n.last.features)
}

// at is the mode of block i, whose dropout mask differs from the others'.
func (m Mode) at(i int) Mode {
	m.DropKey.Sub += uint32(i)
	return m
}

// InputGrad assigns dx (N,C,H,W) the gradient of Σ dlogits·logits with respect to the
// images of the last Forward. Parameter gradients are left alone.
func (n *WideResNet) InputGrad(dx, dlogits backend.Tensor) { n.backward(dlogits, dx, false, nil) }

// ParamGrad accumulates the gradient of Σ dlogits·logits with respect to the parameters
// into Params.Grad, for the last Forward.
//
// It goes from the last layer to the first and so, as layers lie in their order, from the end of
// Params.Grad towards its beginning. settled, which may be nil, is told on the way from which element
// on all has been added, see backend.Settled; from element 0 the last time.
func (n *WideResNet) ParamGrad(dlogits backend.Tensor, settled func(from int)) {
	n.backward(dlogits, nil, true, settled)
}

// backward runs the network in reverse: parameter gradients when params is true, the
// image gradient when dx is not nil.
func (n *WideResNet) backward(dlogits, dx backend.Tensor, params bool, settled func(from int)) {
	p, d := n.last, n.dev
	reach := func(from int) {
		if settled != nil {
			backend.Settled(d, func() { settled(from) })
		}
	}
	if params {
		d.LinearParamGrad(n.classes.dw, n.classes.db, p.pooled, dlogits)
	}
	d.LinearInputGrad(p.dpooled, dlogits, n.classes.w)
	g := p.outGrad
	d.AvgPoolGrad(g, p.dpooled, p.features, n.Config.Slope)
	if n.tail != nil {
		n.tail.backward(g, g, p.outRaw, params)
	}
	reach(n.behind)
	for i := len(n.blocks) - 1; i >= 0; i-- {
		n.blocks[i].backward(d, &p.blocks[i], p.mode.at(i), params)
		reach(n.blocks[i].offset)
	}
	g = p.stemGrad
	if params {
		n.stem.ParamGrad(n.stem.dw, n.stem.db, p.x, g)
	}
	reach(0)
	if dx != nil {
		n.stem.InputGrad(dx, g, nil, nil)
	}
}
