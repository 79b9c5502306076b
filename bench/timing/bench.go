package timing

import (
	"context"
	"slices"
	"time"

	"jem/backend"
	"jem/backend/philox"
	"jem/config"
	"jem/feed"
	"jem/internal/sysmem"
	"jem/predict"
	"jem/train/step"
)

// Result is what Measure measures: medians over the repeated steps unless said.
type Result struct {
	StepSeconds float64 `json:"step_seconds"`
	StepMin     float64 `json:"step_seconds_min"`
	StepMax     float64 `json:"step_seconds_max"`
	SGLDSeconds float64 `json:"sgld_seconds"` // drawing, K SGLD steps, putting back
	ConvShare   float64 `json:"conv_share"`   // of the step's time in [0,1], spent in convolutions
	GFLOPS      float64 `json:"gflops"`       // convolution FLOPs (2 a multiply-add, counted as direct) per second of the step
	Steps       int     `json:"steps"`        // measured, after one to warm up

	// Peak is the most memory, in bytes, that the device had in use: tensors, weights in the
	// plans' order, sums, working memory. Absent where the device doesn't tell.
	Peak int64 `json:"peak_bytes,omitempty"`
	// ProcessPeak is the process's peak resident size, in bytes; Linux only.
	ProcessPeak int64 `json:"process_peak_bytes,omitempty"`
	// Footprint is what was foretold, see step.NewFootprint.
	Footprint *step.Footprint `json:"footprint,omitempty"`
	// Algorithms are the device's choices, see backend.Chooser.
	Algorithms map[string]string `json:"algorithms,omitempty"`
}

// Measure times training steps of a configuration on noise images: grey or colour by
// channels, with the given number of classes. Data loading is not part of it. It ends with ctx's
// error after the step in which ctx ends.
func Measure(ctx context.Context, dev backend.Device, c config.Config, channels, size, classes, steps int) (Result, error) {
	clock, src := &convClock{Device: dev}, feed.Noise(c.Train.Batch, channels, size, classes)
	if err := step.Affordable(dev, &c, src); err != nil {
		return Result{}, err
	}
	s, err := step.New(clock, c, src)
	if err != nil {
		return Result{}, err
	}
	predict.NewEvaluator(clock, s.Net)                // a run has one: its memory counts
	if _, err := s.Take(step.At{}, nil); err != nil { // plans reorder weights, memory is touched
		return Result{}, err
	}
	var total, sgld, share, flops []float64
	for i := range steps {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		clock.seconds, clock.flops = 0, 0
		r, err := s.Take(step.At{Step: i + 1}, nil)
		if err != nil {
			return Result{}, err
		}
		total, sgld = append(total, r.Seconds()), append(sgld, r.SampleSeconds)
		share, flops = append(share, clock.seconds/r.Seconds()), append(flops, clock.flops/r.Seconds()/1e9)
	}
	b := Result{
		StepSeconds: median(total), StepMin: slices.Min(total), StepMax: slices.Max(total),
		SGLDSeconds: median(sgld), ConvShare: median(share), GFLOPS: median(flops), Steps: steps,
		ProcessPeak: int64(sysmem.Peak()), Algorithms: backend.Choices(dev),
	}
	if s, ok := dev.(backend.Sizer); ok {
		_, b.Peak = s.InUse()
	}
	if f, known, err := step.NewFootprint(dev, c, src); err != nil {
		return b, err
	} else if known {
		b.Footprint = &f
	}
	return b, nil
}

// Footprint is step.NewFootprint for images as Measure's.
func Footprint(dev backend.Device, c config.Config, channels, size, classes int) (step.Footprint, bool, error) {
	return step.NewFootprint(dev, c, feed.Noise(1, channels, size, classes))
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// convClock is a device that adds up the time and the work of its convolutions.
type convClock struct {
	backend.Device
	seconds, flops float64
}

// NewConv implements backend.Planner.
func (c *convClock) NewConv(spec backend.ConvSpec, w, b backend.Tensor) backend.Conv {
	return &timedConv{c.Device.NewConv(spec, w, b), c}
}

// NewChain implements backend.Chainer with the device's own chains.
func (c *convClock) NewChain(steps int, step func(k int, key philox.Key)) backend.Chain {
	t := &timedChain{clock: c}
	t.Chain = backend.NewChain(c.Device, steps, func(k int, key philox.Key) {
		t.called = true
		step(k, key)
	})
	return t
}

// timedChain is a chain under the clock. Where the device replays it without asking for its
// steps, the work is that of the last time that it did.
type timedChain struct {
	backend.Chain
	clock  *convClock
	called bool
	flops  float64
}

// Run implements backend.Chain.
func (t *timedChain) Run(key philox.Key) {
	before := t.clock.flops
	t.called = false
	t.Chain.Run(key)
	if t.called {
		t.flops = t.clock.flops - before
	} else {
		t.clock.flops += t.flops
	}
}

// timedConv is a plan under the clock. On a device that works behind the caller's back its
// times would be those of the calls, not of the work; the CPU's calls return when done.
type timedConv struct {
	backend.Conv
	clock *convClock
}

func (t *timedConv) add(start time.Time, n int) {
	t.clock.seconds += time.Since(start).Seconds()
	t.clock.flops += 2 * t.Spec().MACs(n)
}

// Forward implements backend.Conv.
func (t *timedConv) Forward(raw, act, x, residual backend.Tensor) {
	defer t.add(time.Now(), x.Shape()[0])
	t.Conv.Forward(raw, act, x, residual)
}

// InputGrad implements backend.Conv.
func (t *timedConv) InputGrad(dx, dy, act, residual backend.Tensor) {
	defer t.add(time.Now(), dy.Shape()[0])
	t.Conv.InputGrad(dx, dy, act, residual)
}

// ParamGrad implements backend.Conv.
func (t *timedConv) ParamGrad(dw, db, x, dy backend.Tensor) {
	defer t.add(time.Now(), x.Shape()[0])
	t.Conv.ParamGrad(dw, db, x, dy)
}
