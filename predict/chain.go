package predict

import (
	"jem/backend"
	"jem/backend/philox"
	"jem/feed"
	"jem/model"
	"jem/sampler"
)

// Chains moves batches of images by the run's SGLD.
type Chains struct {
	p       *Predictor
	o       SampleOptions
	sgld    sampler.SGLD
	key     philox.Key
	jem     *model.JEM
	x, grad backend.Tensor // of a whole batch
	labels  backend.Tensor
	moves   *sampler.Chains
}

// NewChains makes room on the device; o says what chains climb, with which noise. Close gives it back.
func NewChains(p *Predictor, o SampleOptions) *Chains {
	c := &Chains{p: p, o: o, jem: model.NewJEM(p.dev, p.net), sgld: p.Config.SGLD(), key: philox.New(o.Seed, 0, philox.SampleNoise)}
	n := p.net.Config
	c.x = p.dev.New(backend.Image, feed.EvalBatch, n.InC, n.Size, n.Size)
	c.grad = p.dev.New(backend.Image, feed.EvalBatch, n.InC, n.Size, n.Size)
	c.labels = p.dev.New(backend.Index, feed.EvalBatch)
	c.moves = sampler.NewChains(p.dev, c.sgld, c.x, c.grad, c.target)
	return c
}

// target is the density that n chains climb.
func (c *Chains) target(n int) sampler.Target {
	given := c.p.dev.Rows(c.labels, 0, n)
	switch {
	case c.o.Class == AnyClass:
		return c.jem
	case c.o.Guidance > 0:
		return model.NewGuided(c.jem, given, c.o.Guidance)
	}
	return model.Given{JEM: c.jem, Labels: given}
}

// Give tells the chains from lo on their classes.
func (c *Chains) Give(lo int) {
	labels := make([]int32, feed.EvalBatch)
	for i := range labels {
		labels[i] = c.o.given(lo+i, c.p.net.Config.Classes)
	}
	c.p.dev.UploadIndex(c.labels, labels)
}

// Close gives the device's memory back.
func (c *Chains) Close() {
	c.moves.Close()
	c.p.dev.Free(c.x, c.grad, c.labels)
}

// Move takes so many steps with the images (n,C,H,W), in place; batch separates their noise from
// others'.
func (c *Chains) Move(images []float32, steps, batch int) error {
	n := len(images) * feed.EvalBatch / len(c.p.eval.Images)
	x := c.moves.Images(n)
	c.p.dev.Upload(x, images)
	c.moves.Move(n, 0, steps, c.key.At(batch, 0))
	return c.p.dev.Download(images, x)
}

// Frame is what some chains look like after a step.
type Frame struct {
	Step   int
	Images []float32 // (N,C,H,W)
}

// Animate follows chains from their starts, of which there may be feed.EvalBatch: a frame before the
// first step, one every so many steps, and one at the end. The chains are those of
// Sample, up to the rounding of devices that compute a planned chain otherwise.
func Animate(p *Predictor, o SampleOptions, every int) ([]Frame, error) {
	start, err := p.Starts(o)
	if err != nil {
		return nil, err
	}
	c, d := NewChains(p, o), p.dev
	defer c.Close()
	images := make([]float32, o.N*len(p.eval.Images)/feed.EvalBatch)
	start(images, 0)
	frames := []Frame{{0, images}}
	x, grad := d.Rows(c.x, 0, o.N), d.Rows(c.grad, 0, o.N)
	d.Upload(x, images)
	c.Give(0)
	target, key := c.target(o.N), c.key.At(0, 0)
	for k := range o.Steps {
		target.LogDensityGrad(grad, x)
		d.SGLDStep(x, grad, key, c.sgld.At(k))
		key.Sub++
		if (k+1)%every == 0 || k+1 == o.Steps {
			f := Frame{k + 1, make([]float32, len(images))}
			if err := d.Download(f.Images, x); err != nil {
				return nil, err
			}
			frames = append(frames, f)
		}
	}
	return frames, nil
}
