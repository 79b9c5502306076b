package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	"jem/internal/data"
	"jem/internal/quality"
)

// QualityProtocols are the two ways in which published figures of samples come about, which
// can't be compared:
//
//	followers  the replay buffer, per predicted class the 90 % of highest p(y|x) for FID and the
//	           10 % for the Inception Score (JEM++ and SADA-JEM), against training and test
//	           images; and all of it, unfiltered
//	dat        class-balanced samples, 50,000 unless said otherwise, against the training images
//	           (DAT)
var QualityProtocols = []string{"followers", "dat"}

// DATCount is the number of samples of protocol dat.
const DATCount = 50_000

// QualityOptions say how samples are judged.
type QualityOptions struct {
	Protocol string // one of QualityProtocols
	Samples  SampleOptions
	Limit    int    // real images of each split; 0: all
	Cache    string // folder of references; empty: none are kept

	// NoInception says why FID and Inception Score aren't computed, where they aren't.
	NoInception string
}

// QualityResult are figures of samples.
type QualityResult struct {
	Subject
	Protocol
	Drawn     string          `json:"drawn"` // how the samples came about
	Seed      uint64          `json:"sample_seed"`
	Networks  []quality.About `json:"networks"`
	Reference string          `json:"reference"`
	Real      int             `json:"reference_images"`
	RealHash  string          `json:"reference_sha256"` // of shape and pixels, 0…255
	Figures   []QualityFigure `json:"figures"`
}

// QualityFigure is one number, or says why it isn't there.
type QualityFigure struct {
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
	p        *Predictor
	o        QualityOptions
	progress func(stage string, done, total int)
	drawn    *Samples
	real     []*data.Set
	result   *QualityResult
}

// Quality draws samples and judges them by the features of one or more networks. Progress, which
// may be nil, hears of the stages sampling, features, features of real images, and distance: done 0
// when the distance in many features begins to be computed, 1 when it is there. The images of
// all samples are held in memory.
func (p *Predictor) Quality(ctx context.Context, o QualityOptions, nets []quality.Network, progress func(stage string, done, total int)) (*QualityResult, *Samples, error) {
	if progress == nil {
		progress = func(string, int, int) {}
	}
	j := &judging{p: p, o: o, progress: progress, result: &QualityResult{Seed: o.Samples.Seed}}
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

// describe fills in what is known beforehand.
func (j *judging) describe() (err error) {
	o := j.o.Samples
	if j.result.Subject, err = j.p.Subject(); err != nil {
		return err
	}
	j.result.Subject.Noise = 0 // neither samples nor real images carry any
	j.result.Text = "protocol " + j.o.Protocol
	j.result.Drawn = fmt.Sprintf("chains of the replay buffer, %d further SGLD steps", o.Steps)
	if o.Fresh {
		j.result.Drawn = fmt.Sprintf("fresh chains, %d SGLD steps", o.Steps)
	}
	if o.Class == EachClass {
		j.result.Drawn += " of log p(x|y), the classes in turn"
	}
	if o.Guidance > 0 {
		j.result.Drawn += fmt.Sprintf(", guided with weight %g", o.Guidance)
	}
	return nil
}

// open reads the real images.
func (j *judging) open() error {
	splits := []data.Split{data.Train, data.Test}
	j.result.Reference = j.p.Config.Data.Name + " train and test"
	if j.o.Protocol == "dat" {
		splits, j.result.Reference = splits[:1], j.p.Config.Data.Name+" train"
	}
	hash := sha256.New()
	for _, s := range splits {
		set, _, err := j.p.Config.read(s)
		if err != nil {
			return err
		}
		set = set.Head(j.o.Limit)
		if c := j.p.net.Config; set.C != c.InC || set.H != c.Size || set.W != c.Size {
			return &data.Error{Kind: data.ErrBadData, Reason: fmt.Sprintf("%s %s: images of %d×%d×%d, the network takes %d×%d×%d", set.Name, s, set.C, set.H, set.W, c.InC, c.Size, c.Size)}
		}
		fmt.Fprintf(hash, "%d×%d×%d×%d|", set.Len(), set.C, set.H, set.W)
		hash.Write(set.Pixels)
		j.real = append(j.real, set)
		j.result.Real += set.Len()
	}
	j.result.RealHash = hex.EncodeToString(hash.Sum(nil))
	return nil
}

// draw makes the samples.
func (j *judging) draw(ctx context.Context) error {
	c, total := j.p.net.Config, j.o.Samples.N
	j.drawn = &Samples{Channels: c.InC, Size: c.Size}
	seen := newDigest(nil)
	err := j.p.eachBatch(j.o.Samples, func(images, logits []float32) error {
		for i, v := range images {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return &data.Error{Path: j.p.Checkpoint, Kind: data.ErrBadData,
					Reason: fmt.Sprintf("sample %d holds %v: its chain has diverged", len(j.drawn.Class)+i/(len(images)/(len(logits)/c.Classes)), v)}
			}
		}
		j.drawn.add(images, logits, c.Classes)
		seen.add(images, nil)
		j.progress("sampling", len(j.drawn.Class), total)
		return ctx.Err()
	})
	j.result.DataHash, j.result.Samples = seen.sum(), len(j.drawn.Class)
	return err
}

// network adds the figures by the features of one network.
func (j *judging) network(ctx context.Context, n quality.Network) error {
	about := n.About()
	j.result.Networks = append(j.result.Networks, about)
	reference, err := j.reference(ctx, n)
	if err != nil {
		return err
	}
	groups := j.groups()
	samples := make([]*quality.Sample, len(groups))
	for i, g := range groups {
		samples[i] = quality.NewSample(len(g.index), about.Features, g.splits)
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
func (j *judging) features(ctx context.Context, n quality.Network, groups []group, into []*quality.Sample) error {
	pixels, total := len(j.p.eval.images)/EvalBatch, len(j.drawn.Class)
	next := make([]int, len(groups)) // of each index
	for lo := 0; lo < total; lo += EvalBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(lo+EvalBatch, total)
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
				return &data.Error{Path: j.p.Checkpoint, Kind: data.ErrBadData, Reason: "features of samples: " + err.Error()}
			}
		}
		j.progress("features", hi, total)
	}
	return nil
}
