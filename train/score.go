package train

import (
	"context"
	"fmt"
	"math"

	"jem/backend"
	"jem/internal/data"
	"jem/model"
)

// Scores are what a model says of images, one row an image.
type Scores struct {
	Classes    int       // K
	Logits     []float32 // (N,K)
	LogPx      []float32 // (N) log p(x) + log Z = LogSumExp f(x)
	ApproxMass []float32 // (N) −‖∂log p(x)/∂x‖₂, x in [−1,1] (Grathwohl et al. 2020, section 5.3.2)
}

// Len is the number of images.
func (s *Scores) Len() int { return len(s.LogPx) }

// Class is the predicted class of image i, and p(y|x) of it.
func (s *Scores) Class(i int) (class int, confidence float64) {
	row := s.Logits[i*s.Classes : (i+1)*s.Classes]
	class = model.Argmax(row)
	return class, math.Exp(float64(row[class]) - model.LogSumExp(row))
}

// Shape is that of the images which the model takes: channels, height, width.
func (p *Predictor) Shape() (c, h, w int) {
	n := p.net.Config
	return n.InC, n.Size, n.Size
}

// Score scores n images in one forward and one backward pass each. fill writes images
// lo, lo+1, … (C,H,W), in [−1,1], as many as dst holds. done, if not nil, is told how many
// have been scored. A score that is no number is a *data.Error: weights or images are broken.
func (p *Predictor) Score(ctx context.Context, n int, fill func(dst []float32, lo int), done func(int)) (*Scores, error) {
	c := p.net.Config
	pixels := c.InC * c.Size * c.Size
	s := &Scores{Classes: c.Classes}
	g := newMassGrad(p.dev, p.net)
	for lo := 0; lo < n; lo += EvalBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch := min(EvalBatch, n-lo)
		fill(p.eval.images[:batch*pixels], lo)
		onDevice := p.eval.run(batch)
		grad, err := g.of(batch, onDevice)
		if err != nil {
			return nil, err
		}
		logits, err := p.eval.download(onDevice)
		if err != nil {
			return nil, err
		}
		if err := s.add(logits, grad, pixels); err != nil {
			return nil, &data.Error{Path: p.Checkpoint, Kind: data.ErrBadData, Reason: err.Error()}
		}
		if done != nil {
			done(lo + batch)
		}
	}
	return s, nil
}

// add appends a batch's scores from logits (n,K) and gradients (n,C·H·W).
func (s *Scores) add(logits, grad []float32, pixels int) error {
	for i := range len(grad) / pixels {
		row := logits[i*s.Classes : (i+1)*s.Classes]
		lse := model.LogSumExp(row)
		var square float64
		for _, v := range grad[i*pixels : (i+1)*pixels] {
			square += float64(v) * float64(v)
		}
		if sum := lse + square; math.IsNaN(sum) || math.IsInf(sum, 0) {
			return fmt.Errorf("image %d: log p(x) is %g and its gradient's norm %g: no score", s.Len()+1, lse, math.Sqrt(square))
		}
		s.LogPx = append(s.LogPx, float32(lse))
		s.ApproxMass = append(s.ApproxMass, float32(-math.Sqrt(square)))
	}
	s.Logits = append(s.Logits, logits...)
	return nil
}

// massGrad computes ∂log p(x)/∂x for the images of the network's last forward pass.
type massGrad struct {
	dev               backend.Device
	net               *model.WideResNet
	coef, dlogits, dx backend.Tensor
	host              []float32
}

func newMassGrad(dev backend.Device, net *model.WideResNet) *massGrad {
	c := net.Config
	g := &massGrad{dev: dev, net: net, coef: dev.New(backend.Dense, EvalBatch, 3)}
	g.dx = dev.New(backend.Image, EvalBatch, c.InC, c.Size, c.Size)
	g.dlogits = dev.New(backend.Dense, EvalBatch, c.Classes)
	g.host = make([]float32, EvalBatch*c.InC*c.Size*c.Size)
	onLSE := make([]float32, 3*EvalBatch)
	for i := range EvalBatch {
		onLSE[3*i] = 1
	}
	dev.Upload(g.coef, onLSE)
	return g
}

// of returns the gradients (n,C·H·W) for n images; logits are those of their forward pass.
func (g *massGrad) of(n int, logits backend.Tensor) ([]float32, error) {
	d, dx := g.dev.Rows(g.dlogits, 0, n), g.dev.Rows(g.dx, 0, n)
	g.dev.LogitGrad(d, logits, nil, g.dev.Rows(g.coef, 0, n))
	g.net.InputGrad(dx, d)
	out := g.host[:n*len(g.host)/EvalBatch]
	return out, g.dev.Download(out, dx)
}
