package backendtest

import (
	"fmt"

	"jem/backend"
	"jem/backend/philox"
)

// rowsImages is the number of images of a rowsNet: slices of several sizes.
const rowsImages = 37

// rowsParams are a perceptron's: of images as rows, 33 units and 20, neither whole blocks of 16, 3 classes.
type rowsParams struct {
	units []int // of each layer, the inputs first
	w     []*operand
	b     []backend.Tensor
	coef  backend.Tensor // of log p(x)
}

func newRowsParams(p *Probe, inputs int) *rowsParams {
	n := &rowsParams{units: []int{inputs, 33, 20, 3}}
	for i, out := range n.units[1:] {
		n.w = append(n.w, p.put(make([]float32, out*n.units[i]), backend.Dense, out, n.units[i]))
		n.b = append(n.b, p.in(backend.Dense, out).Tensor)
	}
	coef := make([]float32, 4*rowsImages)
	for i := range rowsImages {
		coef[4*i] = 1
	}
	n.coef = p.fixed(coef, backend.Dense, rowsImages, 4).Tensor
	return n
}

// rowsNet is the perceptron with its memory.
type rowsNet struct {
	*rowsParams
	dev   backend.Device
	x, g  backend.Tensor   // images
	h, dh []backend.Tensor // rows: pixels, units, logits
}

func newRowsNet(p *Probe, params *rowsParams, shape []int) *rowsNet {
	n := &rowsNet{rowsParams: params, dev: p.dev, x: p.alloc(backend.Image, shape...), g: p.alloc(backend.Image, shape...)}
	for _, units := range n.units {
		n.h = append(n.h, p.alloc(backend.Dense, rowsImages, units))
		n.dh = append(n.dh, p.alloc(backend.Dense, rowsImages, units))
	}
	return n
}

// step is a chain's.
func (n *rowsNet) step(_ int, key philox.Key) {
	d, last := n.dev, len(n.w)
	d.Copy(n.h[0], n.x)
	for i, w := range n.w {
		d.Linear(n.h[i+1], n.h[i], w.Tensor, n.b[i])
		if i+1 < last {
			d.LeakyReLU(n.h[i+1], n.h[i+1], 0.2)
		}
	}
	d.LogitGrad(n.dh[last], n.h[last], nil, n.coef)
	for i := last - 1; i >= 0; i-- {
		d.LinearInputGrad(n.dh[i], n.dh[i+1], n.w[i].Tensor)
		if i > 0 {
			d.LeakyReLUGrad(n.dh[i], n.dh[i], n.h[i], 0.2)
		}
	}
	d.Copy(n.g, n.dh[0])
	d.SGLDStep(n.x, n.g, key, backend.SGLD{StepSize: 0.1, Noise: 0.01})
}

// rowsChain: a chain through a perceptron has the bits of its calls, from run to run with other weights in the same
// tensors. Images become rows and rows images, of points and of maps of channels.
func rowsChain(p *Probe) {
	const steps = 3
	for _, shape := range [][]int{{rowsImages, 2, 1, 1}, {rowsImages, 17, 3, 3}} {
		params := newRowsParams(p, size(shape[1:]))
		net, plain := newRowsNet(p, params, shape), newRowsNet(p, params, shape)
		chain := backend.NewChain(p.dev, steps, net.step)
		for run := range 4 {
			for _, w := range params.w {
				p.dev.Upload(w.Tensor, p.random(len(w.v)))
			}
			p.dev.ParamsChanged()
			start, key := p.random(size(shape)), p.key()
			p.dev.Upload(net.x, start)
			p.dev.Upload(plain.x, start)
			chain.Run(key)
			backend.PlainChain{Steps: steps, Step: plain.step}.Run(key)
			p.same(fmt.Sprint(shape, " run ", run), net.x, p.get(plain.x))
		}
		chain.Close()
	}
}
