package chains

import (
	"context"
	"fmt"

	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
)

// TrajectoryOptions say which chains to follow.
type TrajectoryOptions struct {
	From  string // fresh (the run's start), buffer, or test (images as they are evaluated)
	N     int    // chains, at most EvalBatch
	Marks []int  // SGLD steps after which they are looked at, ascending; 0 is the start
	Seed  uint64
}

// Trajectory is what chains were at their marks.
type Trajectory struct {
	Marks          []int
	LogPx          [][]float64 // by mark and chain, up to log Z
	Confidence     [][]float64 // largest p(y|x)
	Class          [][]int     // predicted
	Images         [][]float32 // by mark: (N,C,H,W)
	Channels, Size int
}

// Follow follows chains of log p(x) with the run's α, σ, clip and clamp until ctx ends, and says what
// they were at their marks.
func Follow(ctx context.Context, p *predict.Predictor, o TrajectoryOptions, watch predict.Watch) (*Trajectory, error) {
	c := p.Net().Config
	if o.N < 1 || o.N > feed.EvalBatch {
		return nil, fmt.Errorf("follow %d chains: want 1 to %d", o.N, feed.EvalBatch)
	}
	images := make([]float32, o.N*c.InC*c.Size*c.Size)
	if err := begin(p, images, o); err != nil {
		return nil, err
	}
	t := &Trajectory{Marks: o.Marks, Channels: c.InC, Size: c.Size}
	chains, taken := predict.NewChains(p, predict.SampleOptions{Class: predict.AnyClass, Seed: o.Seed}), 0
	defer chains.Close()
	for i, mark := range o.Marks {
		if err := chains.Move(ctx, images, mark-taken, i); err != nil {
			return nil, err
		}
		taken = mark
		copy(p.Batch().Images, images)
		logits, err := p.Batch().Forward(o.N)
		if err != nil {
			return nil, err
		}
		var at predict.Samples
		at.Add(images, logits, c.Classes)
		t.LogPx, t.Confidence = append(t.LogPx, at.LogPx), append(t.Confidence, at.Confidence)
		t.Class, t.Images = append(t.Class, at.Class), append(t.Images, at.Images)
		watch.Tell(about, mark, o.Marks[len(o.Marks)-1])
	}
	return t, nil
}

// begin writes the starting points.
func begin(p *predict.Predictor, images []float32, o TrajectoryOptions) error {
	if o.From != "test" {
		start, err := p.Starts(predict.SampleOptions{N: o.N, Fresh: o.From == "fresh", Class: predict.AnyClass, Seed: o.Seed})
		if err != nil {
			return err
		}
		start(images, 0)
		return nil
	}
	test, _, err := p.Source().Images("test", p.Noise())
	if err != nil {
		return err
	}
	if test.Len() < o.N {
		return &fault.Error{Path: p.Config.Data.Dir, Kind: fault.ErrMissing, Reason: fmt.Sprintf("%d test images, want %d", test.Len(), o.N)}
	}
	test.Batch(0, p.Batch().Images, p.Batch().Labels)
	copy(images, p.Batch().Images)
	return nil
}
