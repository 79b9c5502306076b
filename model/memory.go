package model

import (
	"fmt"

	"jem/backend"
)

// memory holds the activations of the largest batch by name. A smaller batch works on
// the first rows of the same tensors.
type memory struct {
	dev     backend.Device
	batch   int
	tensors map[string]backend.Tensor
}

func newMemory(dev backend.Device, batch int) memory {
	return memory{batch: batch, dev: dev, tensors: map[string]backend.Tensor{}}
}

// check panics unless there is memory for such a batch.
func (m *memory) check(batch int) {
	if batch > m.batch {
		panic(fmt.Sprintf("model: batch %d exceeds the planned %d", batch, m.batch))
	}
}

// pass is a Wide-ResNet's working memory for one batch size, and the last Forward's
// arguments.
//
// What shares memory: without norms the raw outputs of a stage's blocks are one tensor
// (each block adds to it in place), since only φ(raw) and, at a stage's end, the raw
// output itself are needed again. The gradient of an identity block's input takes the
// place of its output's.
type pass struct {
	mode Mode
	x    backend.Tensor

	stemRaw, stemAct, stemGrad backend.Tensor
	blocks                     []blockPass
	outRaw, outGrad            backend.Tensor // raw output of the last block
	features                   backend.Tensor // its activation, after the tail's norm
	pooled, dpooled            backend.Tensor // (N,C)
	logits                     backend.Tensor // (N,K)
}

// view returns rows [0,batch) of the named tensor of working memory, allocating it on first use.
func (m *memory) view(batch int, name string, kind backend.Kind, row ...int) backend.Tensor {
	return m.rows(batch, name, func(shape ...int) backend.Tensor { return backend.NewWorking(m.dev, kind, shape...) }, row)
}

// kept is view of a Dense tensor that outlives the pass that writes it.
func (m *memory) kept(batch int, name string, row ...int) backend.Tensor {
	return m.rows(batch, name, func(shape ...int) backend.Tensor { return m.dev.New(backend.Dense, shape...) }, row)
}

// rows is view of a tensor that is made in one way or another.
func (m *memory) rows(batch int, name string, make func(shape ...int) backend.Tensor, row []int) backend.Tensor {
	t, ok := m.tensors[name]
	if !ok {
		t = make(append([]int{m.batch}, row...)...)
		m.tensors[name] = t
	}
	return m.dev.Rows(t, 0, batch)
}

// at returns the pass for a batch size, building it on first use.
func (n *wideResNet) at(batch int) *pass {
	if p, ok := n.passes[batch]; ok {
		return p
	}
	n.memory.check(batch)
	p := n.newPass(batch)
	n.passes[batch] = p
	return p
}

func (n *wideResNet) newPass(batch int) *pass {
	image := func(name string, c, size int) backend.Tensor {
		return n.memory.view(batch, name, backend.Image, c, size, size)
	}
	size, normed := n.Config.Size, n.tail != nil
	p := &pass{
		stemRaw:  image("raw/stem", stemChannels, size),
		stemGrad: image("grad/stem", stemChannels, size),
	}
	raw, act, grad := p.stemRaw, backend.Tensor(nil), p.stemGrad
	if !normed {
		p.stemAct = image("act/stem", stemChannels, size)
		act = p.stemAct
	}
	for i, b := range n.blocks {
		q := b.newPass(i, image, normed, blockPass{x: raw, a: act, dx: grad})
		p.blocks = append(p.blocks, q)
		raw, act, grad = q.y, q.yAct, q.dy
	}
	n.finish(p, batch, image, raw, act, grad)
	return p
}

// newPass completes q, which holds what block i shares with its neighbour below.
func (b *block) newPass(i int, image func(string, int, int) backend.Tensor, normed bool, q blockPass) blockPass {
	own := func(what string, c, size int) backend.Tensor {
		return image(fmt.Sprintf("%s/%d", what, i), c, size)
	}
	common := func(what string, c, size int) backend.Tensor {
		return image(fmt.Sprintf("%s/%dx%d", what, c, size), c, size)
	}
	outSize := b.size / b.stride
	q.h = own("h", b.out, b.size)
	q.dh = common("dh", b.out, b.size)
	q.y, q.dy = q.x, q.dx // in place
	if normed || b.shortcut.Conv != nil {
		q.y = own("y", b.out, outSize)
	}
	if b.shortcut.Conv != nil {
		q.dy = own("dy", b.out, outSize)
	}
	if !normed {
		q.yAct = own("act", b.out, outSize)
		return q
	}
	q.a = own("a", b.in, b.size)
	q.mid = own("mid", b.out, b.size)
	q.da = common("da", b.in, b.size)
	return q
}

// finish adds what lies behind the last block.
func (n *wideResNet) finish(p *pass, batch int, image func(string, int, int) backend.Tensor, raw, act, grad backend.Tensor) {
	p.outRaw, p.outGrad, p.features = raw, grad, act
	shape := raw.Shape()
	if n.tail != nil {
		p.features = image("features", shape[1], shape[2])
	}
	p.pooled = n.memory.kept(batch, "pooled", shape[1])
	p.dpooled = n.memory.view(batch, "dpooled", backend.Dense, shape[1])
	p.logits = n.memory.kept(batch, "logits", n.Config.Classes)
}
