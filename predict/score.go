package predict

import (
	"context"
	"math"

	"jem/feed"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/model"
)

// Scores are what a model says of images, one row an image.
type Scores struct {
	Classes    int       // K
	Logits     []float32 // (N,K)
	LogPx      []float32 // (N) log p(x) + log Z = LogSumExp f(x)
	ApproxMass []float32 // (N) −‖∂log p(x)/∂x‖₂, x in [−1,1] (Grathwohl et al. 2020, section 5.3.2)
	Features   []float32 // (N,64·width), the inputs of the linear layer; nil unless asked for
	Digest     string    // SHA-256 of the images as the network took them, little-endian float32
}

// Outputs are the scores as what Gather collects of images without labels.
func (s *Scores) Outputs() (*Outputs, error) {
	o := &Outputs{Digest: s.Digest}
	for _, v := range s.ApproxMass {
		o.GradNorm = append(o.GradNorm, -float64(v))
	}
	var err error
	if o.Logits, err = metrics.Flat(s.Classes, s.Logits); err != nil || s.Features == nil {
		return o, err
	}
	o.Features, err = metrics.Flat(len(s.Features)/s.Len(), s.Features)
	return o, err
}

// Protocol says what the scores are.
func (s *Scores) Protocol() Protocol {
	return Protocol{"log_px: LogSumExp of the logits, up to log Z; approx_mass: −‖∂log p(x)/∂x‖₂, pixels in [−1,1]; higher means more in-distribution", s.Digest, s.Len()}
}

// Len is the number of images.
func (s *Scores) Len() int { return len(s.LogPx) }

// Class is the predicted class of image i, and p(y|x) of it.
func (s *Scores) Class(i int) (class int, confidence float64) {
	row := s.Logits[i*s.Classes : (i+1)*s.Classes]
	class = model.Argmax(row)
	return class, math.Exp(float64(row[class]) - model.LogSumExp(row))
}

// Score scores images in one forward and one backward pass each, and keeps their features if want
// says so. next writes the next ones
// (C,H,W), in [−1,1], to the front of dst and returns how many; fewer than dst holds only at the
// end. total is how many there may be, for watch, which hears after every batch how many have been scored. A
// score that is no number is a *fault.Error: weights or images are broken. With an error, ctx's included,
// come the scores of the batches before it.
func (p *Predictor) Score(ctx context.Context, want Want, total int, next func(dst []float32) int, watch Watch) (s *Scores, err error) {
	c := p.net.Config
	pixels := c.InC * c.Size * c.Size
	s = &Scores{Classes: c.Classes}
	r, seen := newResponder(p.dev, p.net, p.eval.rows), feed.NewDigest(nil)
	defer r.free()
	defer func() { s.Digest = seen.Sum() }()
	for n := p.eval.rows; n == p.eval.rows; {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		if n = next(p.eval.Images); n == 0 {
			return s, nil
		}
		logits, norms, err := r.answer(p.eval, n)
		if err != nil {
			return s, err
		}
		var features []float32
		if want.Features {
			features = make([]float32, n*p.Features())
			if err := p.dev.Download(features, p.net.Features()); err != nil {
				return s, err
			}
		}
		if err := s.add(logits, norms); err != nil {
			return s, &fault.Error{Path: p.Checkpoint, Kind: fault.ErrBad, Reason: err.Error()}
		}
		s.Features = append(s.Features, features...)
		seen.Add(p.eval.Images[:n*pixels], nil)
		watch.Tell("scored", s.Len(), total)
	}
	return s, nil
}

// add appends a batch's scores from logits (n,K) and the norms of ∂log p(x)/∂x (n), all or none.
func (s *Scores) add(logits, norms []float32) error {
	logPx := make([]float32, len(norms))
	for i, norm := range norms {
		lse := model.LogSumExp(logits[i*s.Classes : (i+1)*s.Classes])
		if sum := lse + float64(norm); math.IsNaN(sum) || math.IsInf(sum, 0) {
			return fault.Badf("image %d: log p(x) is %g and its gradient's norm %g: no score", s.Len()+i+1, lse, norm)
		}
		logPx[i] = float32(lse)
	}
	s.LogPx, s.Logits = append(s.LogPx, logPx...), append(s.Logits, logits...)
	for _, norm := range norms {
		s.ApproxMass = append(s.ApproxMass, -norm)
	}
	return nil
}
