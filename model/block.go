package model

import "jem/backend"

// block is one pre-activation residual block
//
//	a = φ(norm₁ x),  h = φ(norm₂ drop(conv₁ a)),  y = conv₂ h + shortcut x
//
// with φ the LeakyReLU, the stride on conv₂ and shortcut x = x, or a 1×1 convolution of
// the raw x where stride or channels change. Without norms φ is fused into the
// convolutions: the block before has already stored a beside x.
type block struct {
	conv1, conv2, shortcut layer // shortcut.Conv nil: identity
	norm1, norm2           *normLayer
	in, out, size, stride  int // channels, size of the input map
	slope, dropout         float32
	offset                 int // of its first parameter
}

// layer is a planned convolution with the places of its parameter gradients.
type layer struct {
	backend.Conv
	dw, db backend.Tensor
}

// blockPass are the block's tensors in a pass over a certain batch. Where two names hold
// the same tensor the block works in place (see memory).
type blockPass struct {
	x, a    backend.Tensor // raw input and its activation
	mid     backend.Tensor // conv₁'s raw output; only with norms
	h       backend.Tensor
	y, yAct backend.Tensor // raw output and, without norms, φ(y) for the next layer
	dy, dx  backend.Tensor // one tensor where the shortcut is the identity
	dh      backend.Tensor
	da      backend.Tensor // only with norms
}

func (n *wideResNet) newBlock(name string, batch, in, out, size, stride int) *block {
	c := n.Config
	b := &block{in: in, out: out, size: size, stride: stride, slope: c.Slope, dropout: c.Dropout}
	spec := backend.ConvSpec{N: batch, InC: in, H: size, W: size, OutC: out, Kernel: 3, Stride: 1, Pad: 1, Slope: c.Slope}
	b.norm1 = n.norm(name+".bn1", in, size)
	b.conv1 = n.layer(name+".conv1", spec)
	b.offset = n.Params.must(name + ".conv1.weight").Offset
	if b.norm1 != nil {
		b.offset = n.Params.must(name + ".bn1.weight").Offset
	}
	b.norm2 = n.norm(name+".bn2", out, size)
	if stride != 1 || in != out {
		cut := spec
		cut.Kernel, cut.Pad, cut.Stride = 1, 0, stride
		b.shortcut = n.layer(name+".shortcut.0", cut)
	}
	spec.InC, spec.Stride = out, stride
	b.conv2 = n.layer(name+".conv2", spec)
	return b
}

func (n *wideResNet) layer(name string, spec backend.ConvSpec) layer {
	w, b := n.Params.must(name+".weight"), n.Params.must(name+".bias")
	return layer{Conv: n.dev.NewConv(spec, w.Value, b.Value), dw: w.Grad, db: b.Grad}
}

func (b *block) forward(d backend.Device, p *blockPass, m Mode) {
	if b.norm1 != nil {
		b.norm1.forward(p.a, p.x, m)
		d.LeakyReLU(p.a, p.a, b.slope)
	}
	b.middle(d, p, m)
	residual := p.x
	if b.shortcut.Conv != nil {
		b.shortcut.Forward(p.y, nil, p.x, nil)
		residual = p.y
	}
	b.conv2.Forward(p.y, p.yAct, p.h, residual)
}

// middle computes h from a. Dropout acts on conv₁'s output; it commutes with φ, so
// without a norm in between it may follow the fused convolution.
func (b *block) middle(d backend.Device, p *blockPass, m Mode) {
	if b.norm2 == nil {
		b.conv1.Forward(nil, p.h, p.a, nil)
		b.drop(d, p.h, m)
		return
	}
	b.conv1.Forward(p.mid, nil, p.a, nil)
	b.drop(d, p.mid, m)
	b.norm2.forward(p.h, p.mid, m)
	d.LeakyReLU(p.h, p.h, b.slope)
}

// drop applies the block's dropout mask in place, to activations or to their gradient.
func (b *block) drop(d backend.Device, t backend.Tensor, m Mode) {
	if m.Train && b.dropout > 0 {
		d.Dropout(t, t, m.DropKey, b.dropout)
	}
}

// backward turns dy into dx; on the way it accumulates parameter gradients if asked.
func (b *block) backward(d backend.Device, p *blockPass, m Mode, params bool) {
	if params {
		b.conv2.ParamGrad(b.conv2.dw, b.conv2.db, p.h, p.dy)
	}
	b.conv2.InputGrad(p.dh, p.dy, p.h, nil)
	if b.norm2 != nil {
		b.norm2.backward(p.dh, p.dh, p.mid, params)
	}
	b.drop(d, p.dh, m)
	if params {
		b.conv1.ParamGrad(b.conv1.dw, b.conv1.db, p.a, p.dh)
	}
	b.backwardInput(d, p, params)
}

// backwardInput joins the two ways into dx: through conv₁ and through the shortcut.
func (b *block) backwardInput(d backend.Device, p *blockPass, params bool) {
	short := p.dy
	if b.shortcut.Conv != nil {
		if params {
			b.shortcut.ParamGrad(b.shortcut.dw, b.shortcut.db, p.x, p.dy)
		}
		b.shortcut.InputGrad(p.dx, p.dy, nil, nil)
		short = p.dx
	}
	if b.norm1 == nil {
		b.conv1.InputGrad(p.dx, p.dh, p.a, short)
		return
	}
	b.conv1.InputGrad(p.da, p.dh, p.a, nil)
	b.norm1.backward(p.da, p.da, p.x, params)
	d.Axpy(p.dx, 1, p.da) // dx holds the shortcut's part already
}
