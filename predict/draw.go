package predict

import (
	"context"

	"jem/backend/philox"
	"jem/feed"
	"jem/internal/fault"
)

// SampleOptions say which samples to draw.
type SampleOptions struct {
	N     int
	Steps int    // SGLD steps, with the run's α, σ, clip and clamp, or moves of its dreams
	Fresh bool   // chains start anew from the run's start; else they go on from its replay buffer
	Class int    // climb log p(x|y) of this class, or of EachClass; AnyClass: log p(x)
	Seed  uint64 // of the noise and of fresh starts

	// Guidance w > 0 climbs (1+w)·log p(x,y) − w·log p(x) in the place of log p(x|y), see
	// model.ClimbGuided.
	Guidance float32
}

// Sampling are the options by which the run's network draws samples where nothing else is said: from
// the replay buffer with as many steps as in training, or afresh.
func (p *Predictor) Sampling(fresh bool) SampleOptions {
	g := p.Config.Generation()
	o := SampleOptions{Steps: p.Config.Sampler.Steps, Fresh: fresh || !g.Persistent, Class: AnyClass}
	if o.Fresh {
		o.Steps = g.Steps
	}
	if g.ByClass {
		o.Class = EachClass
	}
	return o
}

// Choices of SampleOptions.Class besides the classes' numbers.
const (
	AnyClass  = -1 // no class is given
	EachClass = -2 // chain i is given class i mod K
)

// given is the class that chain i climbs; 0 where none is.
func (o SampleOptions) given(i, classes int) int32 {
	if o.Class == EachClass {
		return int32(i % classes)
	}
	return int32(max(0, o.Class))
}

// BufferSize is the number of chains in the replay buffer; 0 without one.
func (p *Predictor) BufferSize() int {
	c := p.net.Config
	return len(p.buffer) / (c.InC * c.Size * c.Size)
}

// Sample draws samples from the model until ctx ends, sorted by the class that it sees in them.
func (p *Predictor) Sample(ctx context.Context, o SampleOptions) (*Samples, error) {
	if err := p.Keep(o.N); err != nil {
		return nil, err
	}
	c := p.net.Config
	s := &Samples{Channels: c.InC, Size: c.Size}
	err := p.Draw(ctx, o, func(images, logits []float32) error {
		s.Add(images, logits, c.Classes)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.Sorted(c.InC * c.Size * c.Size), nil
}

// Draw draws samples and hands them over, with their logits, in batches of as many as go through the network at once,
// until ctx ends. The slices are valid within the call only. That many are feed.EvalBatch, or fewer by AtMost: then starts
// and noise of all but the first are others.
func (p *Predictor) Draw(ctx context.Context, o SampleOptions, do func(images, logits []float32) error) error {
	start, err := p.Starts(o)
	if err != nil {
		return err
	}
	c := p.net.Config
	rows := p.eval.rows
	chains := newChains(p, o, rows)
	defer chains.Close()
	for lo := 0; lo < o.N; lo += rows {
		n := min(rows, o.N-lo)
		images := p.eval.Images[:n*c.Pixels()]
		start(images, lo)
		chains.Give(lo)
		if err := chains.Move(ctx, images, o.Steps, lo/rows); err != nil {
			return err
		}
		logits, err := p.eval.Forward(n)
		if err != nil {
			return err
		}
		if err := do(images, logits); err != nil {
			return err
		}
	}
	return nil
}

// Starts returns what writes the starting points of chains lo, lo+1, ….
func (p *Predictor) Starts(o SampleOptions) (func(images []float32, lo int), error) {
	c := p.net.Config
	pixels := c.InC * c.Size * c.Size
	if !o.Fresh {
		if p.buffer == nil {
			return nil, &fault.Error{Path: p.Checkpoint, Kind: fault.ErrMissing, Reason: "has no replay buffer to go on from; start afresh instead"}
		}
		slots := len(p.buffer) / pixels
		return func(images []float32, lo int) {
			for i := range len(images) / pixels {
				slot := (lo + i) * slots / o.N // spread evenly; repeats where more are asked for than there are
				copy(images[i*pixels:(i+1)*pixels], p.buffer[slot*pixels:])
			}
		}, nil
	}
	start, err := p.Source().Start()
	if err != nil {
		return nil, err
	}
	key := philox.New(o.Seed, 0, philox.Restart)
	return func(images []float32, lo int) {
		classes := make([]int32, len(images)/pixels)
		for i := range classes {
			if classes[i] = o.given(lo+i, c.Classes); o.Class == AnyClass {
				classes[i] = int32((lo + i) % c.Classes)
			}
		}
		start.Fill(images, classes, key.At(lo, 0))
	}, nil
}

// Frame is what some chains look like on their way.
type Frame struct {
	Step   int       // SGLD steps taken
	Images []float32 // (N,C,H,W)
}

// Animate follows chains from their starts, of which there may be feed.EvalBatch, until ctx ends: a
// frame before the first SGLD step, one every so many steps, and one at the end. The chains are those
// of Sample, up to the rounding of devices that compute a planned chain otherwise.
func (p *Predictor) Animate(ctx context.Context, o SampleOptions, every int) ([]Frame, error) {
	start, err := p.Starts(o)
	if err != nil {
		return nil, err
	}
	c := NewChains(p, o)
	defer c.Close()
	images := make([]float32, o.N*len(p.eval.Images)/feed.EvalBatch)
	start(images, 0)
	frames := []Frame{{0, images}}
	x := p.dev.Rows(c.x, 0, o.N)
	p.dev.Upload(x, images)
	c.Give(0)
	move := c.unplanned(o.N)
	for k := 0; k < o.Steps; k += every {
		steps := min(every, o.Steps-k)
		if err := Pace(ctx, p.dev, k, steps, move); err != nil {
			return nil, err
		}
		f := Frame{k + steps, make([]float32, len(images))}
		if err := p.dev.Download(f.Images, x); err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return frames, nil
}
