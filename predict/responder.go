package predict

import (
	"jem/backend"
	"jem/model"
)

// responder takes images through a network and back to ∂log p(x)/∂x, with memory of its own for the way back.
type responder struct {
	dev     backend.Device
	net     *model.Network
	dx      backend.Tensor // (rows,C,H,W) ∂log p(x)/∂x
	norm    backend.Tensor // (rows) ‖∂log p(x)/∂x‖₂
	dlogits backend.Tensor // (rows,K)
	coef    backend.Tensor // (rows,4)
	host    []float32      // (rows) norms of the last answer
}

// newResponder makes room for so many images at once.
func newResponder(d backend.Device, net *model.Network, rows int) *responder {
	c := net.Config
	r := &responder{
		dev: d, net: net,
		dx:      d.New(backend.Image, rows, c.InC, c.Size, c.Size),
		dlogits: d.New(backend.Dense, rows, c.Classes),
		coef:    d.New(backend.Dense, rows, len(model.ClimbLogPx)),
		norm:    d.New(backend.Dense, rows),
		host:    make([]float32, rows),
	}
	coef := make([]float32, 0, rows*len(model.ClimbLogPx))
	for range rows {
		coef = append(coef, model.ClimbLogPx[:]...)
	}
	d.Upload(r.coef, coef)
	return r
}

// first are the first n images' rows of what pass leaves.
func (r *responder) first(n int) (dx, norm backend.Tensor) {
	return r.dev.Rows(r.dx, 0, n), r.dev.Rows(r.norm, 0, n)
}

// pass takes images (n,C,H,W) there and back, and returns the logits (n,K), the network's own.
func (r *responder) pass(x backend.Tensor) (logits backend.Tensor) {
	n := x.Shape()[0]
	dx, norm := r.first(n)
	dlogits, coef := r.dev.Rows(r.dlogits, 0, n), r.dev.Rows(r.coef, 0, n)
	logits = r.net.Forward(x, model.Mode{})
	r.dev.LogitGrad(dlogits, logits, nil, coef)
	r.net.InputGrad(dx, dlogits)
	r.dev.RowNorm(norm, dx)
	return logits
}

// answer returns the logits (n,K) of the first n images of an evaluator's and the norms of their
// gradients. Both are overwritten by the next call.
func (r *responder) answer(e *Evaluator, n int) (logits, norms []float32, err error) {
	x := e.upload(n)
	backend.Pass(r.dev, func() { e.Last = r.pass(x) })
	if logits, err = e.answers(n); err != nil {
		return nil, nil, err
	}
	_, norm := r.first(n)
	return logits, r.host[:n], r.dev.Download(r.host[:n], norm)
}

func (r *responder) free() { r.dev.Free(r.dx, r.dlogits, r.coef, r.norm) }
