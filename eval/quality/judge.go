package quality

import (
	"context"
	"fmt"

	"jem/feed"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/predict"
)

// QualityProtocols are the two ways in which published figures of samples come about, which
// can't be compared:
//
//	followers  the replay buffer, per predicted class the 90 % of highest p(y|x) for FID and the
//	           10 % for the Inception Score (JEM++ and SADA-JEM), against training and test
//	           images; and all of it, unfiltered
//	dat        class-balanced samples, 50,000 unless said otherwise, against the training images
//	           (DAT)
var Protocols = []string{"followers", "dat"}

// DATCount is the number of samples of protocol dat.
const DATCount = 50_000

// QualityOptions say how samples are judged.
type Options struct {
	Protocol string // one of QualityProtocols
	Samples  predict.SampleOptions
	Limit    int    // real images of each split; 0: all
	Cache    string // folder of references; empty: none are kept

	// NoInception says why FID and Inception Score aren't computed, where they aren't.
	NoInception string
}

// QualityResult are figures of samples.
type Result struct {
	predict.Subject
	predict.Protocol
	Drawn     string   `json:"drawn"` // how the samples came about
	Seed      uint64   `json:"sample_seed"`
	Networks  []About  `json:"networks"`
	Reference string   `json:"reference"`
	Real      int      `json:"reference_images"`
	RealHash  string   `json:"reference_sha256"` // of shape and pixels, 0…255
	Figures   []Figure `json:"figures"`
}

// QualityFigure is one number, or says why it isn't there.
type Figure struct {
	Name      string   `json:"name"`
	Value     *float64 `json:"value"`               // null: not computed
	Deviation float64  `json:"deviation,omitempty"` // over splits
	Splits    int      `json:"splits,omitempty"`
	Images    int      `json:"images"` // samples that it is of
	Of        string   `json:"of"`     // which
	Against   int      `json:"against,omitempty"`
	Missing   string   `json:"missing,omitempty"` // why it isn't there
}

// judging is a computation of figures.
type judging struct {
	p        *predict.Predictor
	o        Options
	progress func(stage string, done, total int)
	drawn    *predict.Samples
	real     []*data.Set
	result   *Result
}

// Judge draws samples and judges them by the features of one or more networks. Progress, which
// may be nil, hears of the stages sampling, features, features of real images, and distance: done 0
// when the distance in many features begins to be computed, 1 when it is there. The images of
// all samples are held in memory.
func Measure(ctx context.Context, p *predict.Predictor, o Options, nets []Network, progress func(stage string, done, total int)) (*Result, *predict.Samples, error) {
	if progress == nil {
		progress = func(string, int, int) {}
	}
	j := &judging{p: p, o: o, progress: progress, result: &Result{Seed: o.Samples.Seed}}
	if err := j.describe(); err != nil {
		return nil, nil, err
	}
	if err := j.open(); err != nil {
		return nil, nil, err
	}
	if err := j.draw(ctx); err != nil {
		return nil, nil, err
	}
	if o.NoInception != "" {
		j.withoutInception()
	}
	for _, n := range nets {
		if err := j.network(ctx, n); err != nil {
			return nil, nil, err
		}
	}
	return j.result, j.drawn, nil
}

// network adds the figures by the features of one network.
func (j *judging) network(ctx context.Context, n Network) error {
	about := n.About()
	j.result.Networks = append(j.result.Networks, about)
	reference, err := j.reference(ctx, n)
	if err != nil {
		return err
	}
	groups := j.groups()
	samples := make([]*Sample, len(groups))
	for i, g := range groups {
		samples[i] = NewSample(len(g.index), about.Features, g.splits)
	}
	if err := j.features(ctx, n, groups, samples); err != nil {
		return err
	}
	for i, g := range groups {
		figures, err := j.figures(about, g, samples[i], reference)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", about.Name, g.of, err)
		}
		j.result.Figures = append(j.result.Figures, figures...)
	}
	return nil
}

// features runs the samples through a network and sorts the answers into the groups.
func (j *judging) features(ctx context.Context, n Network, groups []group, into []*Sample) error {
	pixels, total := len(j.p.Batch().Images)/feed.EvalBatch, len(j.drawn.Class)
	next := make([]int, len(groups)) // of each index
	for lo := 0; lo < total; lo += feed.EvalBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(lo+feed.EvalBatch, total)
		features, logits, err := n.Run(j.drawn.Images[lo*pixels : hi*pixels])
		if err != nil {
			return err
		}
		d, k := len(features)/(hi-lo), len(logits)/(hi-lo)
		for g := range groups {
			var f, l []float32
			for index := groups[g].index; next[g] < len(index) && index[next[g]] < hi; next[g]++ {
				i := index[next[g]] - lo
				f, l = append(f, features[i*d:(i+1)*d]...), append(l, logits[i*k:(i+1)*k]...)
			}
			if len(f) == 0 {
				continue
			}
			if err := into[g].Add(f, l); err != nil {
				return &fault.Error{Path: j.p.Checkpoint, Kind: fault.Bad, Reason: "features of samples: " + err.Error()}
			}
		}
		j.progress("features", hi, total)
	}
	return nil
}
