package quality

import (
	"context"
	"fmt"

	"jem/feed"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/predict"
)

// Result are figures of samples.
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

	Notes []string `json:"-"` // sentences for the user, there after an error, too

	drawn   *predict.Samples // nil where the result was only read
	classes []string
}

// Figure is one number, or says why it isn't there.
type Figure struct {
	Name      string   `json:"name"`
	Value     *float64 `json:"value"`               // null: not computed
	Deviation float64  `json:"deviation,omitempty"` // over splits
	Splits    int      `json:"splits,omitempty"`
	Images    int      `json:"images"` // samples that it is of
	Of        string   `json:"of"`     // which
	Against   int      `json:"against,omitempty"`
	Missing   string   `json:"missing,omitempty"` // why it isn't there
	Caution   string   `json:"caution,omitempty"` // why it says little
}

// Cautions are sentences on figures that say little, each once.
func (r Result) Cautions() (all []string) {
	for _, f := range r.Figures {
		if f.Caution != "" {
			all = append(all, f.Name+" of "+f.Of+": "+f.Caution)
		}
	}
	return all
}

// judging is a computation of figures.
type judging struct {
	p      *predict.Predictor
	o      Options
	watch  predict.Watch
	drawn  *predict.Samples
	real   []*data.Set
	result *Result
}

// Measure draws samples and judges them by the features of one or more networks, until ctx ends. The
// watch hears of the stages sampling, features, features of real images, and distance: done 0
// when the distance in many features begins to be computed, 1 when it is there. The images of
// all samples are held in memory.
func Measure(ctx context.Context, p *predict.Predictor, o Options, watch predict.Watch) (Result, error) {
	o = o.Settled(p)
	if err := o.check(); err != nil {
		return Result{}, err
	}
	j := &judging{p: p, o: o, watch: watch, result: &Result{Seed: o.Samples.Seed, classes: p.Classes}}
	j.describe()
	if err := j.judge(ctx); err != nil {
		return Result{Notes: j.result.Notes}, err
	}
	j.result.drawn = j.drawn
	return *j.result, nil
}

// judge draws the samples and compares them with real images.
func (j *judging) judge(ctx context.Context) error {
	if err := j.open(); err != nil {
		return err
	}
	if err := j.draw(ctx); err != nil {
		return err
	}
	if j.o.NoInception != "" {
		j.withoutInception()
	}
	for _, n := range j.o.Networks {
		if err := j.network(ctx, n); err != nil {
			return err
		}
	}
	return nil
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
	tallies := make([]*Tally, len(groups))
	for i, g := range groups {
		tallies[i] = NewTally(len(g.index), about.Features, g.splits)
	}
	if err := j.features(ctx, n, groups, tallies); err != nil {
		return err
	}
	for i, g := range groups {
		figures, err := j.figures(about, g, tallies[i], reference)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", about.Name, g.of, err)
		}
		j.result.Figures = append(j.result.Figures, figures...)
	}
	return nil
}

// features runs the samples through a network and sorts the answers into the groups.
func (j *judging) features(ctx context.Context, n Network, groups []group, into []*Tally) error {
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
				return &fault.Error{Path: j.p.Checkpoint, Kind: fault.ErrBad, Reason: "features of samples: " + err.Error()}
			}
		}
		j.watch.Tell("features", hi, total)
	}
	return nil
}
