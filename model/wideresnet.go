package model

import (
	"fmt"

	"jem/backend"
)

// stemChannels is the width of the first feature map, whatever the widen factor.
const stemChannels = 16

// wideResNet is the published JEM network: a 3×3 stem, three stages of pre-activation
// blocks, LeakyReLU, average pooling and a linear layer to K logits. It differs from the
// textbook Wide-ResNet: the stride sits on a block's second convolution, the shortcut
// convolves the raw block input, every convolution has a bias, and there is no norm
// unless asked for. (Official wideresnet.py.)
//
// Pooling is global; the published 8×8 window is the same at 32×32 pixels.
type wideResNet struct {
	Config Config
	Params *Params
	Stats  []Stat

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

func newWideResNet(dev backend.Device, c Config, params *Params, maxBatch int) *wideResNet {
	n := &wideResNet{Config: c, Params: params, dev: dev, passes: map[int]*pass{}}
	n.plan(maxBatch)
	n.memory = newMemory(dev, maxBatch)
	n.at(maxBatch)
	return n
}

// residual lists the parameters of a Wide-ResNet in the order of the official state dict.
func (c Config) residual() *layout {
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
func (n *wideResNet) plan(batch int) {
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
	n.classes = n.Params.linear("class_output")
}

// Forward implements body.
func (n *wideResNet) Forward(x backend.Tensor, m Mode) backend.Tensor {
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

// Features implements body: the last feature map averaged over pixels, 64·Width of them.
func (n *wideResNet) Features() backend.Tensor { return n.last.pooled }

// Activations implements body.
func (n *wideResNet) Activations() []backend.Tensor {
	var all []backend.Tensor
	for _, b := range n.last.blocks {
		all = append(all, b.a, b.h)
	}
	return append(all, n.last.features)
}

// InputGrad implements body.
func (n *wideResNet) InputGrad(dx, dlogits backend.Tensor) { n.backward(dlogits, dx, false, nil) }

// ParamGrad implements body. It goes from the last layer to the first and so, as layers lie in their order, from
// the end of Params.Grad towards its beginning.
func (n *wideResNet) ParamGrad(dlogits backend.Tensor, settled func(from int)) {
	n.backward(dlogits, nil, true, settled)
}

// backward runs the network in reverse: parameter gradients when params is true, the
// image gradient when dx is not nil.
func (n *wideResNet) backward(dlogits, dx backend.Tensor, params bool, settled func(from int)) {
	p, d := n.last, n.dev
	if params {
		d.LinearParamGrad(n.classes.dw, n.classes.db, p.pooled, dlogits)
	}
	d.LinearInputGrad(p.dpooled, dlogits, n.classes.w)
	g := p.outGrad
	d.AvgPoolGrad(g, p.dpooled, p.features, n.Config.Slope)
	if n.tail != nil {
		n.tail.backward(g, g, p.outRaw, params)
	}
	reach(d, settled, n.behind)
	for i := len(n.blocks) - 1; i >= 0; i-- {
		n.blocks[i].backward(d, &p.blocks[i], p.mode.at(i), params)
		reach(d, settled, n.blocks[i].offset)
	}
	g = p.stemGrad
	if params {
		n.stem.ParamGrad(n.stem.dw, n.stem.db, p.x, g)
	}
	reach(d, settled, 0)
	if dx != nil {
		n.stem.InputGrad(dx, g, nil, nil)
	}
}
