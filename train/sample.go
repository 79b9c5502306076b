package train

import (
	"fmt"

	"jem/backend"
	"jem/internal/data"
	"jem/internal/philox"
	"jem/model"
	"jem/sampler"
)

// SampleOptions say which samples to draw.
type SampleOptions struct {
	N     int
	Steps int    // SGLD steps, with the run's α, σ, clip and clamp
	Fresh bool   // chains start anew from the run's start; else they go on from its replay buffer
	Class int    // climb log p(x|y) of this class; −1: log p(x)
	Seed  uint64 // of the noise and of fresh starts
}

// Sample draws samples from the model, sorted by the class that it sees in them.
func (p *Predictor) Sample(o SampleOptions) (*Samples, error) {
	start, err := p.starts(o)
	if err != nil {
		return nil, err
	}
	c := p.net.Config
	s := &Samples{Channels: c.InC, Size: c.Size}
	pixels := c.InC * c.Size * c.Size
	chain := newChain(p, o)
	defer chain.close()
	for lo := 0; lo < o.N; lo += EvalBatch {
		n := min(EvalBatch, o.N-lo)
		images := p.eval.images[:n*pixels]
		start(images, lo)
		if err := chain.run(images, lo/EvalBatch); err != nil {
			return nil, err
		}
		logits, err := p.eval.forward(n)
		if err != nil {
			return nil, err
		}
		s.add(images, logits, c.Classes)
	}
	return s.sorted(pixels), nil
}

// starts returns what writes the starting points of chains lo, lo+1, ….
func (p *Predictor) starts(o SampleOptions) (func(images []float32, lo int), error) {
	c := p.net.Config
	pixels := c.InC * c.Size * c.Size
	if !o.Fresh {
		if p.buffer == nil {
			return nil, &data.Error{Path: p.Checkpoint, Kind: data.ErrMissing, Reason: "has no replay buffer to go on from; start afresh instead"}
		}
		slots := len(p.buffer) / pixels
		return func(images []float32, lo int) {
			for i := range len(images) / pixels {
				slot := (lo + i) * slots / o.N // spread evenly; repeats where more are asked for than there are
				copy(images[i*pixels:(i+1)*pixels], p.buffer[slot*pixels:])
			}
		}, nil
	}
	start, err := openStart(p.Config)
	if err != nil {
		return nil, err
	}
	key := philox.New(o.Seed, 0, philox.Restart)
	return func(images []float32, lo int) {
		classes := make([]int32, len(images)/pixels)
		for i := range classes {
			if classes[i] = int32(o.Class); o.Class < 0 {
				classes[i] = int32((lo + i) % c.Classes)
			}
		}
		start.Fill(images, classes, key.At(lo, 0))
	}, nil
}

// openStart is the distribution that a run's fresh chains begin with; that of gaussian
// starts needs the training images.
func openStart(c Config) (sampler.Start, error) {
	if c.Sampler.Start != "gaussian" {
		return sampler.Uniform{}, nil
	}
	set, _, err := data.Open(c.Data.Name, data.Train, data.OpenOptions{Dir: c.Data.Dir, Limit: c.Data.Limit})
	if err != nil {
		return nil, err
	}
	split, _, err := data.Holdout(set.Len(), c.Data.Valid, philox.New(c.Seed, 0, philox.Split))
	if err != nil {
		return nil, fmt.Errorf("data.valid: %w", err)
	}
	return c.start(set, split)
}

// chain moves batches of images by SGLD.
type chain struct {
	p       *Predictor
	o       SampleOptions
	sgld    sampler.SGLD
	key     philox.Key
	jem     *model.JEM
	x, grad backend.Tensor // of a whole batch
	labels  backend.Tensor

	n      int            // images that moves is planned for
	images backend.Tensor // x's first n
	moves  backend.Chain
}

func newChain(p *Predictor, o SampleOptions) *chain {
	c := &chain{p: p, o: o, jem: model.NewJEM(p.dev, p.net), sgld: p.Config.sgld(), key: philox.New(o.Seed, 0, philox.SampleNoise)}
	c.sgld.Steps = o.Steps
	n := p.net.Config
	c.x = p.dev.New(backend.Image, EvalBatch, n.InC, n.Size, n.Size)
	c.grad = p.dev.New(backend.Image, EvalBatch, n.InC, n.Size, n.Size)
	c.labels = p.dev.New(backend.Index, EvalBatch)
	labels := make([]int32, EvalBatch)
	for i := range labels {
		labels[i] = int32(max(0, o.Class))
	}
	p.dev.UploadIndex(c.labels, labels)
	return c
}

// plan prepares for batches of n images.
func (c *chain) plan(n int) {
	d := c.p.dev
	c.close()
	var target sampler.Target = c.jem
	if c.o.Class >= 0 {
		target = model.Given{JEM: c.jem, Labels: d.Rows(c.labels, 0, n)}
	}
	c.n, c.images = n, d.Rows(c.x, 0, n)
	c.moves = c.sgld.Chain(d, target, c.images, d.Rows(c.grad, 0, n))
}

func (c *chain) close() {
	if c.moves != nil {
		c.moves.Close()
	}
}

// run moves the images (n,C,H,W) in place; batch separates their noise from others'.
func (c *chain) run(images []float32, batch int) error {
	if n := len(images) * EvalBatch / len(c.p.eval.images); n != c.n {
		c.plan(n)
	}
	c.p.dev.Upload(c.images, images)
	c.moves.Run(c.key.At(batch, 0))
	return c.p.dev.Download(images, c.images)
}
