package chains

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"jem/backend"
	"jem/backend/philox"
	"jem/feed"
	"jem/internal/fault"
	"jem/internal/metrics"
	"jem/model"
	"jem/predict"
	"jem/sampler"
)

// Options ask for long chains to be watched. The zero value stands for 20 chains of 1000 SGLD steps
// from the replay buffer with a record every 10.
type Options struct {
	N     int    `json:"chains"`     // at most feed.EvalBatch; 0: 20
	Steps int    `json:"sgld_steps"` // of each; 0: 1000
	Every int    `json:"every"`      // SGLD steps from one record to the next; 0: 10
	Fresh bool   `json:"fresh"`      // from the run's start, else from its replay buffer
	Seed  uint64 `json:"chain_seed"`
}

// Result is what long chains do: whether log p(x) settles, and how independent what
// they give is.
type Result struct {
	predict.Subject
	predict.Protocol
	Options
	StepSize float32        `json:"step_size"`
	SGLDStd  float32        `json:"sgld_noise"`
	Records  []Record       `json:"records"`
	LogPx    metrics.Mixing `json:"log_px_mixing"` // of log p(x), over the second half of the records
	Moves    metrics.Mixing `json:"step_norm_mixing"`
}

// Record is the state of the chains after so many SGLD steps.
type Record struct {
	Step     int       `json:"step"`      // SGLD steps taken
	LogPx    []float64 `json:"log_px"`    // by chain, up to log Z
	StepNorm []float64 `json:"step_norm"` // by chain: ‖x − x before the last step‖₂, pixels in [−1,1]
	Distance []float64 `json:"distance"`  // by chain: ‖x − x at the beginning‖₂
}

const chainsProtocol = "SGLD with the run's step size and noise, constant; R-hat (split) and effective sample size of scalars over the second half of the records, " +
	"in records, not steps: they say nothing of what the scalar doesn't show"

// about is what a watch hears of.
const about = "SGLD steps"

// Measure follows long chains until ctx ends.
func Measure(ctx context.Context, p *predict.Predictor, o Options, watch predict.Watch) (Result, error) {
	o = o.settled()
	r := Result{Options: o}
	if o.N < 1 || o.N > feed.EvalBatch || o.Every < 1 || o.Steps < 16*o.Every {
		return r, fmt.Errorf("%d chains of %d steps with a record every %d: want 1 to %d chains, and 16 records", o.N, o.Steps, o.Every, feed.EvalBatch)
	}
	r.Subject = p.Subject(0)
	start, err := p.Starts(predict.SampleOptions{N: o.N, Fresh: o.Fresh, Class: predict.AnyClass, Seed: o.Seed})
	if err != nil {
		return r, err
	}
	c := newLongChains(p, o)
	defer c.free()
	r.Text, r.Samples, r.StepSize, r.SGLDStd = chainsProtocol, o.N, c.sgld.StepSize, c.sgld.Noise
	images := p.Batch().Images[:o.N*len(p.Batch().Images)/feed.EvalBatch]
	start(images, 0)
	seen := feed.NewDigest(nil)
	seen.Add(images, nil)
	r.DataHash = seen.Sum()
	c.begin(images)
	for taken := 0; taken < o.Steps; taken += o.Every {
		record, err := c.record(ctx, taken)
		if err != nil {
			return r, err
		}
		r.Records = append(r.Records, record)
		watch.Tell(about, min(o.Steps, record.Step), o.Steps)
	}
	return r, r.mix()
}

// settled replaces zeros by what they stand for.
func (o Options) settled() Options {
	o.N, o.Steps, o.Every = cmp.Or(o.N, 20), cmp.Or(o.Steps, 1000), cmp.Or(o.Every, 10)
	return o
}

// mix computes R-hat and effective sample sizes.
func (r *Result) mix() (err error) {
	late := r.Records[len(r.Records)/2:]
	of := func(value func(Record) []float64) (metrics.Mixing, error) {
		chains := make([][]float64, r.N)
		for i := range chains {
			for _, at := range late {
				chains[i] = append(chains[i], value(at)[i])
			}
		}
		return metrics.Mix(chains)
	}
	if r.LogPx, err = of(func(at Record) []float64 { return at.LogPx }); err != nil {
		return fmt.Errorf("log p(x) along the chains: %w", err)
	}
	if r.Moves, err = of(func(at Record) []float64 { return at.StepNorm }); err != nil {
		return fmt.Errorf("step norms along the chains: %w", err)
	}
	return nil
}

// longChains are chains under way.
type longChains struct {
	p                     *predict.Predictor
	o                     Options
	sgld                  sampler.SGLD
	key                   philox.Key
	jem                   *model.JEM
	x, grad, first, moved backend.Tensor // (N,C,H,W)
	scalar                backend.Tensor // (N)
	moves                 *sampler.Chains
}

func newLongChains(p *predict.Predictor, o Options) *longChains {
	c := &longChains{p: p, o: o, sgld: p.Config.SGLD(), jem: p.Density(), key: philox.New(o.Seed, 0, philox.SampleNoise)}
	c.sgld.StepDecay, c.sgld.NoiseDecay = 1, 1
	n, d := p.Net().Config, p.Device()
	image := func() backend.Tensor { return d.New(backend.Image, o.N, n.InC, n.Size, n.Size) }
	c.x, c.grad, c.first, c.moved, c.scalar = image(), image(), image(), image(), d.New(backend.Dense, o.N)
	c.moves = sampler.NewChains(d, c.sgld, c.x, c.grad, func(int) sampler.Target { return c.jem })
	return c
}

func (c *longChains) begin(images []float32) {
	c.p.Device().Upload(c.x, images)
	c.p.Device().Copy(c.first, c.x)
}

// record moves the chains, which have taken so many steps, Every steps on and says where they are:
// the last step is taken by itself, so that its length is seen.
func (c *longChains) record(ctx context.Context, taken int) (r Record, err error) {
	d := c.p.Device()
	key := c.key.At(taken, 0)
	if err := predict.Pace(ctx, d, 0, c.o.Every-1, func(first, steps int) { c.moves.Move(c.o.N, first, steps, key) }); err != nil {
		return r, err
	}
	d.Copy(c.moved, c.x)
	key.Sub = uint32(c.o.Every)
	c.moves.Move(c.o.N, 0, 1, key)
	r.Step = taken + c.o.Every
	d.Axpy(c.moved, -1, c.x)
	d.RowNorm(c.scalar, c.moved)
	if r.StepNorm, err = c.scalars(); err != nil {
		return r, err
	}
	d.Copy(c.moved, c.x)
	d.Axpy(c.moved, -1, c.first)
	d.RowNorm(c.scalar, c.moved)
	if r.Distance, err = c.scalars(); err != nil {
		return r, err
	}
	c.jem.LogPx(c.scalar, c.x)
	if r.LogPx, err = c.scalars(); err != nil {
		return r, err
	}
	for i, v := range r.LogPx {
		if sum := v + r.StepNorm[i] + r.Distance[i]; math.IsNaN(sum) || math.IsInf(sum, 0) {
			return r, &fault.Error{Path: c.p.Checkpoint, Kind: fault.ErrBad, Reason: fmt.Sprintf("chain %d has diverged after %d steps: log p(x) is %g, its last step %g long", i, r.Step, v, r.StepNorm[i])}
		}
	}
	return r, nil
}

func (c *longChains) scalars() ([]float64, error) {
	host := make([]float32, c.o.N)
	if err := c.p.Device().Download(host, c.scalar); err != nil {
		return nil, err
	}
	out := make([]float64, c.o.N)
	for i, v := range host {
		out[i] = float64(v)
	}
	return out, nil
}

func (c *longChains) free() {
	c.moves.Close()
	c.p.Device().Free(c.x, c.grad, c.first, c.moved, c.scalar)
}
