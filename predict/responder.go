package predict

import (
	"jem/backend"
	"jem/model"
)

// responder differentiates log p(x) at the images of the network's last pass.
type responder struct {
	dev     backend.Device
	net     *model.WideResNet
	dx      backend.Tensor // (rows,C,H,W), the evaluator's
	dlogits backend.Tensor
	coef    backend.Tensor
	norm    backend.Tensor
	host    []float32
}

func newResponder(p *Predictor) *responder {
	c, d, rows := p.net.Config, p.dev, p.eval.rows
	r := &responder{
		dev: d, net: p.net,
		dx:      d.New(backend.Image, rows, c.InC, c.Size, c.Size),
		dlogits: d.New(backend.Dense, rows, c.Classes),
		coef:    d.New(backend.Dense, rows, 3),
		norm:    d.New(backend.Dense, rows),
		host:    make([]float32, rows),
	}
	ones := make([]float32, rows*3)
	for i := range rows {
		ones[3*i] = 1 // ∂LogSumExp
	}
	d.Upload(r.coef, ones)
	return r
}

// gradNorm returns the norms for the n images of the network's last Forward, which gave logits.
func (r *responder) gradNorm(logits backend.Tensor, n int) ([]float32, error) {
	d := r.dev
	rows := func(t backend.Tensor) backend.Tensor { return d.Rows(t, 0, n) }
	d.LogitGrad(rows(r.dlogits), logits, nil, rows(r.coef))
	r.net.InputGrad(rows(r.dx), rows(r.dlogits))
	d.RowNorm(rows(r.norm), rows(r.dx))
	return r.host[:n], d.Download(r.host[:n], rows(r.norm))
}

func (r *responder) free() { r.dev.Free(r.dx, r.dlogits, r.coef, r.norm) }
