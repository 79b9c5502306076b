package predict

import (
	"jem/backend"
	"jem/model"
)

// responder classifies an evaluator's images and differentiates log p(x) there, in one pass.
type responder struct {
	dev     backend.Device
	net     *model.Network
	eval    *Evaluator
	dx      backend.Tensor // (rows,C,H,W)
	dlogits backend.Tensor
	coef    backend.Tensor
	norm    backend.Tensor
	host    []float32
}

func newResponder(p *Predictor) *responder {
	c, d, rows := p.net.Config, p.dev, p.eval.rows
	r := &responder{
		dev: d, net: p.net, eval: p.eval,
		dx:      d.New(backend.Image, rows, c.InC, c.Size, c.Size),
		dlogits: d.New(backend.Dense, rows, c.Classes),
		coef:    d.New(backend.Dense, rows, 4),
		norm:    d.New(backend.Dense, rows),
		host:    make([]float32, rows),
	}
	ones := make([]float32, rows*4)
	for i := range rows {
		ones[4*i] = 1 // ∂LogSumExp
	}
	d.Upload(r.coef, ones)
	return r
}

// answer returns the logits (n,K) of the first n images of the evaluator's and the norms of their
// gradients. Both are overwritten by the next call.
func (r *responder) answer(n int) (logits, norms []float32, err error) {
	x := r.eval.upload(n)
	r.pass(x)
	if logits, err = r.eval.answers(n); err != nil {
		return nil, nil, err
	}
	return logits, r.host[:n], r.dev.Download(r.host[:n], r.dev.Rows(r.norm, 0, n))
}

// pass takes images through the network and back.
func (r *responder) pass(x backend.Tensor) {
	n := x.Shape()[0]
	rows := func(t backend.Tensor) backend.Tensor { return r.dev.Rows(t, 0, n) }
	dx, dlogits := rows(r.dx), rows(r.dlogits)
	backend.Pass(r.dev, func() {
		r.eval.Last = r.net.Forward(x, model.Mode{})
		r.dev.LogitGrad(dlogits, r.eval.Last, nil, rows(r.coef))
		r.net.InputGrad(dx, dlogits)
		r.dev.RowNorm(rows(r.norm), dx)
	})
}

func (r *responder) free() { r.dev.Free(r.dx, r.dlogits, r.coef, r.norm) }
