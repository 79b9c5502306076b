package quality

import (
	"jem/feed"
	"jem/predict"
)

// Classifier is a network trained here whose pooled features (64·width) stand in for those of
// Inception. Distances in them are no FID, and compare only with others by the same weights.
type Classifier struct {
	p     *predict.Predictor
	about About
	out   []float32
}

// NewClassifier returns p's network as a judge of images.
func NewClassifier(p *predict.Predictor) *Classifier {
	s := p.Subject(p.Noise())
	return &Classifier{p: p, about: About{Name: "classifier trained here (" + s.Data + ", " + s.Checkpoint + ")", Weights: s.Weights, Device: s.Device, Features: p.Features()}}
}

// Takes reports whether the network takes images of the given shape.
func (c *Classifier) Takes(channels, size int) bool {
	n := c.p.Net().Config
	return n.InC == channels && n.Size == size
}

// About implements Network.
func (c *Classifier) About() About { return c.about }

// Run implements Network for at most feed.EvalBatch images.
func (c *Classifier) Run(images []float32) (features, logits []float32, err error) {
	e := c.p.Batch()
	n := len(images) * feed.EvalBatch / len(e.Images)
	for i, v := range images {
		e.Images[i] = min(max(v, -1), 1)
	}
	if logits, err = e.Forward(n); err != nil {
		return nil, nil, err
	}
	c.out = append(c.out[:0], make([]float32, n*c.about.Features)...)
	return c.out, logits, c.p.Device().Download(c.out, c.p.Net().Features())
}

var _ Network = (*Classifier)(nil)
