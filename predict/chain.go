package predict

import (
	"context"
	"slices"

	"jem/backend"
	"jem/backend/philox"
	"jem/feed"
	"jem/model"
	"jem/sampler"
)

// Chains moves batches of images as the run's samples move.
type Chains struct {
	p       *Predictor
	o       SampleOptions
	move    sampler.Move
	key     philox.Key
	jem     *model.JEM
	x, grad backend.Tensor // of a whole batch
	labels  backend.Tensor
	moves   *sampler.Chains
}

// NewChains makes room on the device; o says what chains climb, with which noise. Close gives it back.
func NewChains(p *Predictor, o SampleOptions) *Chains { return newChains(p, o, feed.EvalBatch) }

// newChains is NewChains with room for so many images.
func newChains(p *Predictor, o SampleOptions, rows int) *Chains {
	g := p.Config.Generation()
	c := &Chains{p: p, o: o, jem: p.density(g.BatchStats), move: g.Move, key: philox.New(o.Seed, 0, philox.SampleNoise)}
	n := p.net.Config
	c.x = p.dev.New(backend.Image, rows, n.InC, n.Size, n.Size)
	c.grad = p.dev.New(backend.Image, rows, n.InC, n.Size, n.Size)
	c.labels = p.dev.New(backend.Index, rows)
	c.moves = sampler.NewChains(p.dev, c.move, c.x, c.grad, c.target)
	return c
}

// Density is the model as the run's chains climb it.
func (p *Predictor) Density() *model.JEM { return p.density(p.Config.Sampler.BatchStats) }

func (p *Predictor) density(batchStats bool) *model.JEM {
	j := model.NewJEM(p.dev, p.net)
	if batchStats {
		j.Mode.Norm = backend.BatchStats
	}
	return j
}

// target is the density that n chains climb.
func (c *Chains) target(n int) sampler.Target {
	given := c.p.dev.Rows(c.labels, 0, n)
	if c.o.Class == AnyClass {
		return c.jem
	}
	return model.Given{JEM: c.jem, Labels: given, Climb: model.ClimbGuided(c.o.Guidance)}
}

// Give tells the chains from lo on their classes.
func (c *Chains) Give(lo int) {
	labels := make([]int32, c.labels.Shape()[0])
	for i := range labels {
		labels[i] = c.o.given(lo+i, c.p.net.Config.Classes)
	}
	c.p.dev.UploadIndex(c.labels, labels)
}

// Close gives the device's memory back.
func (c *Chains) Close() {
	c.moves.Close()
	c.jem.Close()
	c.p.dev.Free(c.x, c.grad, c.labels)
}

// Move takes so many SGLD steps with the images (n,C,H,W), in place, until ctx ends; batch
// separates their noise from others'.
func (c *Chains) Move(ctx context.Context, images []float32, steps, batch int) error {
	n, key := len(images)/c.p.net.Config.Pixels(), c.key.At(batch, 0)
	x := c.moves.Images(n)
	c.p.dev.Upload(x, images)
	err := Pace(ctx, c.p.dev, 0, steps, func(first, steps int) { c.moves.Move(n, first, steps, key) })
	if err != nil {
		return err
	}
	return c.p.dev.Download(images, x)
}

// stride is after how many SGLD steps Pace looks whether it is to end: those of a published
// training step.
const stride = 20

// Pace has SGLD steps taken from the given one on, a few at a time, until ctx ends. move takes so
// many and need not wait for them.
func Pace(ctx context.Context, d backend.Device, first, steps int, move func(first, steps int)) error {
	for last := first + steps; first < last; first += stride {
		if err := ctx.Err(); err != nil {
			return err
		}
		move(first, min(stride, last-first))
		if err := d.Sync(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// unplanned takes SGLD steps with the first n chains one by one, so many from one on.
func (c *Chains) unplanned(n int) func(first, steps int) {
	d, target := c.p.dev, c.target(n)
	x, grad := d.Rows(c.x, 0, n), d.Rows(c.grad, 0, n)
	return func(first, steps int) {
		for k := first; k < first+steps; k++ {
			target.LogDensityGrad(grad, x)
			c.move.Step(d, x, grad, k, c.key.At(0, k))
		}
	}
}

// Walk are a few chains that whoever shows them moves some SGLD steps at a time and looks at in between. It
// belongs to the device's goroutine.
type Walk struct {
	chains *Chains
	images []float32 // (N,C,H,W)
	taken  int
}

// NewWalk begins o.N chains, with images (N,C,H,W) in [−1,1], or where o says if images is nil. They are the chains
// that Sample draws, whatever pieces they are moved in. o.Steps doesn't matter. Close gives the device's memory back.
func NewWalk(p *Predictor, o SampleOptions, images []float32) (*Walk, error) {
	if images == nil {
		start, err := p.Starts(o)
		if err != nil {
			return nil, err
		}
		c := p.net.Config
		images = make([]float32, o.N*c.InC*c.Size*c.Size)
		start(images, 0)
	}
	w := &Walk{chains: newChains(p, o, o.N), images: slices.Clone(images)}
	w.chains.Give(0)
	p.dev.Upload(w.chains.x, w.images)
	return w, p.dev.Sync()
}

// Images are the chains as they are now. The next Step overwrites them.
func (w *Walk) Images() []float32 { return w.images }

// Taken is how many SGLD steps they have taken.
func (w *Walk) Taken() int { return w.taken }

// Step takes so many more SGLD steps.
func (w *Walk) Step(steps int) error {
	c := w.chains
	c.moves.Move(c.x.Shape()[0], w.taken, steps, c.key.At(0, 0))
	w.taken += steps
	return c.p.dev.Download(w.images, c.x)
}

// Close gives the device's memory back.
func (w *Walk) Close() { w.chains.Close() }
