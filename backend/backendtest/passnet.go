package backendtest

import (
	"math"

	"jem/backend"
	"jem/backend/philox"
)

// passParams are the parameters and plans of a small network for pictures (3,8,8): 3×3 to 16 channels, a
// norm, dropout; 3×3 with stride 2 beside a 1×1 shortcut to 32 channels, added in place; a norm, a mean
// over pixels, five classes.
type passParams struct {
	stem, conv, short      backend.Conv
	instance, layer, batch backend.Norm
	w, b                   backend.Tensor // of the classes
	stemW                  backend.Tensor // of stem, which may change
	labels, coef           backend.Tensor
}

func newPassParams(p *Probe) *passParams {
	n := &passParams{}
	plan := func(in, size, out, kernel, stride int) backend.Conv {
		c := backend.ConvSpec{N: passImages, InC: in, H: size, W: size, OutC: out, Kernel: kernel, Stride: stride, Pad: (kernel - 1) / 2, Slope: 0.2}
		w := p.random(out * in * kernel * kernel)
		for i := range w { // outputs as large as inputs
			w[i] *= float32(math.Sqrt(3 / float64(in*kernel*kernel)))
		}
		t := p.put(w, backend.Dense, out, in, kernel, kernel)
		if n.stemW == nil {
			n.stemW = t.Tensor
		} else {
			p.inputs = append(p.inputs, t)
		}
		return p.dev.NewConv(c, t.Tensor, p.in(backend.Dense, out).Tensor)
	}
	n.stem, n.conv, n.short = plan(3, 8, 16, 3, 1), plan(16, 8, 32, 3, 2), plan(16, 8, 32, 1, 2)
	vector := func(c int) backend.Tensor { return p.in(backend.Dense, c).Tensor }
	n.instance = p.dev.NewNorm(backend.NormSpec{Kind: backend.InstanceNorm, C: 16, H: 8, W: 8, Eps: 1e-5}, vector(16), vector(16), nil, nil)
	n.layer = p.dev.NewNorm(backend.NormSpec{Kind: backend.LayerNorm, C: 32, H: 4, W: 4, Eps: 1e-5}, vector(32), vector(32), nil, nil)
	mean, variance := p.put(p.random(16), backend.Dense, 16), p.put(make([]float32, 16), backend.Dense, 16)
	n.batch = p.dev.NewNorm(backend.NormSpec{Kind: backend.BatchNorm, C: 16, H: 8, W: 8, Eps: 1e-5, Momentum: 0.1}, vector(16), vector(16), mean.Tensor, variance.Tensor)
	n.w, n.b = p.in(backend.Dense, 5, 32).Tensor, vector(5)
	labels := make([]int32, passImages)
	for i := range labels {
		labels[i] = int32(i % 5)
	}
	n.labels, n.coef = p.index(labels...), p.in(backend.Dense, passImages, 4).Tensor
	return n
}

// passNet is the network with memory for a pass.
type passNet struct {
	*passParams
	passCase
	dev   backend.Device
	x, dx backend.Tensor
	kept  []backend.Tensor // results by image: logits, LogSumExp, dx, its norms, a copy, moved images
	grads []backend.Tensor // gradients of parameters

	raw, act, drop, dact backend.Tensor // (16,8,8)
	out, feature, dout   backend.Tensor // (32,4,4)
	pooled, dpooled      backend.Tensor
	dlogits              backend.Tensor
}

func newPassNet(p *Probe, c passCase, params *passParams, memory func(backend.Kind, ...int) backend.Tensor) *passNet {
	work := func(kind backend.Kind, row ...int) backend.Tensor {
		t := memory(kind, append([]int{passImages}, row...)...)
		p.owned = append(p.owned, t)
		return t
	}
	dense := func(row ...int) backend.Tensor { return p.alloc(backend.Dense, append([]int{passImages}, row...)...) }
	n := &passNet{passParams: params, passCase: c, dev: p.dev}
	n.x, n.dx = p.alloc(backend.Image, passImages, 3, 8, 8), p.alloc(backend.Image, passImages, 3, 8, 8)
	n.kept = []backend.Tensor{dense(5), dense(), n.dx, dense(), p.alloc(backend.Image, passImages, 32, 4, 4), p.alloc(backend.Image, passImages, 3, 8, 8)}
	for _, shape := range [][]int{{16, 3, 3, 3}, {16}, {32, 16, 3, 3}, {32}, {32, 16, 1, 1}, {32}, {5, 32}, {5}, {16}, {16}, {32}, {32}} {
		n.grads = append(n.grads, p.alloc(backend.Dense, shape...))
	}
	for _, t := range []*backend.Tensor{&n.raw, &n.act, &n.drop, &n.dact} {
		*t = work(backend.Image, 16, 8, 8)
	}
	for _, t := range []*backend.Tensor{&n.out, &n.feature, &n.dout} {
		*t = work(backend.Image, 32, 4, 4)
	}
	n.pooled, n.dpooled, n.dlogits = work(backend.Dense, 32), work(backend.Dense, 32), work(backend.Dense, 5)
	return n
}

func (n *passNet) results() []backend.Tensor {
	return append(append([]backend.Tensor{}, n.kept...), n.grads...)
}

// run makes all calls.
func (n *passNet) run(key philox.Key) {
	n.parts(n.dev, func() { n.forward(key) })
	if n.interrupted {
		n.dev.Copy(n.kept[4], n.out)
		n.dev.Fill(n.dpooled, 1)
		n.dev.Axpy(n.pooled, 0.5, n.dpooled)
	}
	n.parts(n.dev, func() { n.backward(key) })
}

// first is the norm of the first layer.
func (n *passNet) first() backend.Norm {
	if n.passCase.batch {
		return n.passParams.batch
	}
	return n.instance
}

func (n *passNet) forward(key philox.Key) {
	d := n.dev
	n.stem.Forward(n.raw, n.act, n.x, nil)
	if n.normed {
		n.first().Forward(n.act, n.raw, n.mode)
		d.LeakyReLU(n.act, n.act, 0.2)
	}
	d.Dropout(n.drop, n.act, key, 0.3)
	n.conv.Forward(n.out, nil, n.drop, nil)
	n.short.Forward(n.out, n.feature, n.drop, n.out)
	if n.normed {
		n.layer.Forward(n.feature, n.out, n.mode)
	}
	d.AvgPool(n.pooled, n.feature)
	d.Linear(n.kept[0], n.pooled, n.w, n.b)
	d.LogSumExp(n.kept[1], n.kept[0])
	d.LogitGrad(n.dlogits, n.kept[0], n.labels, n.coef)
}

func (n *passNet) backward(key philox.Key) {
	d := n.dev
	n.sum(func() { d.LinearParamGrad(n.grads[6], n.grads[7], n.pooled, n.dlogits) })
	d.LinearInputGrad(n.dpooled, n.dlogits, n.w)
	d.AvgPoolGrad(n.dout, n.dpooled, n.feature, 0.2)
	if n.normed {
		n.sum(func() { n.layer.ParamGrad(n.grads[10], n.grads[11], n.out, n.dout) })
		n.layer.InputGrad(n.dout, n.dout, n.out)
	}
	n.sum(func() {
		n.conv.ParamGrad(n.grads[2], n.grads[3], n.drop, n.dout)
		n.short.ParamGrad(n.grads[4], n.grads[5], n.drop, n.dout)
	})
	n.conv.InputGrad(n.dact, n.dout, nil, nil)
	n.short.InputGrad(n.dact, n.dout, nil, n.dact)
	d.Dropout(n.dact, n.dact, key, 0.3)
	d.LeakyReLUGrad(n.dact, n.dact, n.act, 0.2)
	if n.normed {
		n.sum(func() { n.first().ParamGrad(n.grads[8], n.grads[9], n.raw, n.dact) })
		n.first().InputGrad(n.dact, n.dact, n.raw)
	}
	n.sum(func() { n.stem.ParamGrad(n.grads[0], n.grads[1], n.x, n.dact) })
	n.stem.InputGrad(n.dx, n.dact, nil, nil)
	d.RowNorm(n.kept[3], n.dx)
	n.move(n.kept[5])
	d.Clamp(n.dx, -1, 1)
}

// move makes the moves that aren't Langevin's.
func (n *passNet) move(x backend.Tensor) {
	d := n.dev
	d.SignStep(x, n.dx, 0.1)
	d.Project(x, n.x, backend.Ball{Radius: 0.3, Lo: -1, Hi: 1})
	d.UnitStep(x, n.dx, 2)
	d.Project(x, n.x, backend.Ball{Norm: backend.L2, Radius: 1.5, Lo: -1, Hi: 1})
}

// sum makes calls that sum over images, if they are asked for.
func (n *passNet) sum(calls func()) {
	if n.sums {
		calls()
	}
}
