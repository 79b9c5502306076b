package train

import (
	"fmt"

	"jem/backend"
	"jem/internal/metrics"
	"jem/model"
)

// Outputs are a network's answers to a set of images.
type Outputs struct {
	Logits   metrics.Table
	Labels   []int
	GradNorm []float64 // ‖∂log p(x)/∂x‖₂ over all pixels, in [−1,1] units; nil unless asked for
}

// Outputs runs a set of images through the network. With gradients each batch also goes
// backwards. Progress, if not nil, hears of every batch's images.
func (p *Predictor) Outputs(images Images, gradients bool, progress func(n int)) (*Outputs, error) {
	if progress == nil {
		progress = func(int) {}
	}
	var r *responder
	if gradients {
		r = newResponder(p)
		defer r.free()
	}
	var logits []float32
	out := &Outputs{}
	for i := range images.Batches() {
		n := images.Batch(i, p.eval.images, p.eval.labels)
		l, err := p.eval.forward(n)
		if err != nil {
			return nil, err
		}
		logits = append(logits, l...)
		for _, y := range p.eval.labels[:n] {
			out.Labels = append(out.Labels, int(y))
		}
		if gradients {
			norms, err := r.gradNorm(p.eval.last, n)
			if err != nil {
				return nil, err
			}
			for _, v := range norms {
				out.GradNorm = append(out.GradNorm, float64(v))
			}
		}
		progress(n)
	}
	var err error
	if out.Logits, err = metrics.Flat(p.net.Config.Classes, logits); err != nil {
		return nil, fmt.Errorf("logits of %s: %w", p.Checkpoint, err)
	}
	return out, nil
}

// responder differentiates log p(x) at the images of the network's last pass.
type responder struct {
	dev     backend.Device
	net     *model.WideResNet
	dx      backend.Tensor // (EvalBatch,C,H,W)
	dlogits backend.Tensor
	coef    backend.Tensor
	norm    backend.Tensor
	host    []float32
}

func newResponder(p *Predictor) *responder {
	c, d := p.net.Config, p.dev
	r := &responder{
		dev: d, net: p.net,
		dx:      d.New(backend.Image, EvalBatch, c.InC, c.Size, c.Size),
		dlogits: d.New(backend.Dense, EvalBatch, c.Classes),
		coef:    d.New(backend.Dense, EvalBatch, 3),
		norm:    d.New(backend.Dense, EvalBatch),
		host:    make([]float32, EvalBatch),
	}
	ones := make([]float32, EvalBatch*3)
	for i := range EvalBatch {
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
