package train

import (
	"fmt"

	"jem/internal/data"
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

// Trajectory follows chains of log p(x) with the run's α, σ, clip and clamp.
func (p *Predictor) Trajectory(o TrajectoryOptions) (*Trajectory, error) {
	c := p.net.Config
	if o.N < 1 || o.N > EvalBatch {
		return nil, fmt.Errorf("follow %d chains: want 1 to %d", o.N, EvalBatch)
	}
	images := make([]float32, o.N*c.InC*c.Size*c.Size)
	if err := p.begin(images, o); err != nil {
		return nil, err
	}
	t := &Trajectory{Marks: o.Marks, Channels: c.InC, Size: c.Size}
	chain, taken := newChain(p, SampleOptions{Class: AnyClass, Seed: o.Seed}), 0
	for i, mark := range o.Marks {
		if chain.sgld.Steps = mark - taken; chain.sgld.Steps > 0 {
			if err := chain.run(images, i); err != nil {
				return nil, err
			}
		}
		taken = mark
		copy(p.eval.images, images)
		logits, err := p.eval.forward(o.N)
		if err != nil {
			return nil, err
		}
		var at Samples
		at.add(images, logits, c.Classes)
		t.LogPx, t.Confidence = append(t.LogPx, at.LogPx), append(t.Confidence, at.Confidence)
		t.Class, t.Images = append(t.Class, at.Class), append(t.Images, at.Images)
	}
	return t, nil
}

// begin writes the starting points.
func (p *Predictor) begin(images []float32, o TrajectoryOptions) error {
	if o.From != "test" {
		start, err := p.starts(SampleOptions{N: o.N, Fresh: o.From == "fresh", Class: AnyClass, Seed: o.Seed})
		if err != nil {
			return err
		}
		start(images, 0)
		return nil
	}
	test, _, err := OpenImages(p.Config, "test")
	if err != nil {
		return err
	}
	if test.Len() < o.N {
		return &data.Error{Path: p.Config.Data.Dir, Kind: data.ErrMissing, Reason: fmt.Sprintf("%d test images, want %d", test.Len(), o.N)}
	}
	test.Batch(0, p.eval.images, p.eval.labels)
	copy(images, p.eval.images)
	return nil
}
