package timing

import (
	"context"
	"slices"

	"jem/backend"
	"jem/backend/trace"
	"jem/comm"
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

	Ranks           int     `json:"ranks"`            // that shared each step
	ExchangeSeconds float64 `json:"exchange_seconds"` // of a step, that this rank waited for others
	ExchangeShare   float64 `json:"exchange_share"`   // of the step's time in [0,1]

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
	return Together(ctx, dev, c, channels, size, classes, steps, comm.Local{})
}

// Together is Measure of steps that ranks share as they do in training; memory and GFLOPS are of this one. All
// of them end when the ctx of one does.
func Together(ctx context.Context, dev backend.Device, c config.Config, channels, size, classes, steps int, ranks comm.Comm) (Result, error) {
	src, flops, s := feed.Noise(c.Train.Batch, c.Train.Labeled(), channels, size, classes), 0.0, (*step.Step)(nil)
	err := comm.NewAccord(context.Background(), ranks).During(func(context.Context) (err error) {
		if _, err = step.Affordable(dev, &c, src, ranks.Size()); err != nil {
			return err
		}
		if flops, err = work(c, src); err == nil {
			s, err = step.New(dev, c, src.Share(ranks.Rank(), ranks.Size()), ranks)
		}
		return err
	})
	if err != nil {
		return Result{}, err
	}
	if _, err := s.Take(step.At{}, nil); err != nil { // plans reorder weights, memory is touched
		return Result{}, err
	}
	e := predict.NewEvaluator(dev, s.Net)
	if _, ok := dev.(backend.Sizer); ok { // a run evaluates: its memory counts
		if _, err := e.Forward(feed.EvalBatch); err != nil {
			return Result{}, err
		}
	}
	b := Result{Steps: steps, Ranks: ranks.Size()}
	if err := b.take(ctx, dev, s); err != nil {
		return Result{}, err
	}
	b.GFLOPS = flops / float64(b.Ranks) / b.StepSeconds / 1e9
	b.ProcessPeak, b.Algorithms = int64(sysmem.Peak()), backend.Choices(dev)
	if s, ok := dev.(backend.Sizer); ok {
		_, b.Peak = s.InUse()
	}
	if f, known, err := step.NewFootprint(dev, c, src, b.Ranks); err != nil {
		return b, err
	} else if known {
		b.Footprint = &f
	}
	return b, nil
}

// take takes the steps and keeps their times.
func (b *Result) take(ctx context.Context, dev backend.Device, s *step.Step) error {
	var total, sgld, share, exchange []float64
	for i := range b.Steps {
		before := convolving(dev)
		r, err := s.Take(step.At{Step: i + 1, Stop: ctx.Err() != nil}, nil)
		if err != nil {
			return err
		}
		if r.Stop {
			return context.Canceled // of another rank, perhaps
		}
		total, sgld, exchange = append(total, r.Seconds()), append(sgld, r.SampleSeconds), append(exchange, r.ExchangeSeconds)
		share = append(share, (convolving(dev)-before)/r.Seconds())
	}
	b.StepSeconds, b.StepMin, b.StepMax = median(total), slices.Min(total), slices.Max(total)
	b.SGLDSeconds, b.ConvShare, b.ExchangeSeconds = median(sgld), median(share), median(exchange)
	b.ExchangeShare = b.ExchangeSeconds / b.StepSeconds
	return nil
}

// Footprint is step.NewFootprint for images as Measure's.
func Footprint(dev backend.Device, c config.Config, channels, size, classes int) (step.Footprint, bool, error) {
	return step.NewFootprint(dev, c, feed.Noise(1, 1, channels, size, classes), 1)
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// convolving is how long, in seconds, the device has spent in convolutions; 0 where it doesn't tell.
func convolving(dev backend.Device) float64 {
	if t, ok := dev.(backend.ConvTimer); ok {
		return t.Convolving().Seconds()
	}
	return 0
}

// work is the FLOPs of a step's convolutions, counted by a step on a device that only counts.
func work(c config.Config, src feed.Sources) (flops float64, err error) {
	paper := trace.New()
	s, err := step.New(paper, c, src, comm.Local{})
	if err != nil {
		return 0, err
	}
	paper.Forget()
	_, err = s.Take(step.At{}, nil)
	for _, call := range paper.Calls() {
		flops += call.FLOPs()
	}
	return flops, err
}
