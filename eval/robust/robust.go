package robust

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jem/backend/philox"
	"jem/eval"
	"jem/eval/attack"
	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
)

// pixelStep is one step of a pixel of 8 bits in the network's range [−1,1].
const pixelStep = 2.0 / 255

// AttackKinds are the attacks by name, in the order of tables.
var Kinds = []string{"pgd", "apgd-ce", "apgd-dlr", "square", "boundary", "pointwise"}

// AttackMeanings say what each attack is and where it comes from.
var Meanings = map[string]string{
	"pgd":       "projected gradient ascent of the cross-entropy from random starts (Madry et al. 2018), step 2.5·ε/steps",
	"apgd-ce":   "Auto-PGD on the cross-entropy (Croce & Hein 2020)",
	"apgd-dlr":  "Auto-PGD on the difference-of-logits ratio (Croce & Hein 2020)",
	"square":    "random squares, without gradients, L∞ only (Andriushchenko et al. 2020)",
	"boundary":  "walk along the decision border by classes alone, smallest L2 change (Brendel et al. 2018)",
	"pointwise": "fewest changed values by classes alone (Schott et al. 2019)",
}

// AttackOptions say how the predictor JEM-k is attacked. The zero Kind is pgd, and zero Draws,
// Queries and Batch stand for 1, 1000 and 50.
type Options struct {
	Kind     string    `json:"attack"`      // of AttackKinds
	Norm     string    `json:"norm"`        // linf or l2
	Epsilons []float64 `json:"epsilon_255"` // radii in units of 1/255 of the pixels' range, ascending, above 0
	Steps    int       `json:"pgd_steps"`   // of pgd and apgd: 40 as published
	Restarts int       `json:"restarts"`    // of pgd and apgd: 20 as published
	Queries  int       `json:"queries"`     // of square; steps of boundary
	Refine   int       `json:"refine"`      // k, SGLD steps before the answer
	Chains   int       `json:"chains"`      // noisy copies of an image, 5 as published
	Noise    float32   `json:"chain_noise"` // std of the copies' noise, 0.03 as published for L∞, 0 for L2
	Draws    int       `json:"draws"`       // answers with fresh noise over which losses and gradients are averaged; 1 as published
	Images   int       `json:"images"`      // the first so many, 300 as published
	Batch    int       `json:"batch"`       // images attacked together
	Seed     uint64    `json:"attack_seed"`
}

// AttackResult is a curve of accuracy against ε.
type Result struct {
	predict.Subject
	Options
	predict.Protocol
	Source *predict.Subject `json:"source,omitempty"` // the network whose gradients made the images, where it is another
	Points []Point          `json:"points"`           // the first without attack

	Found Adversarial `json:"-"`
	units string      // folder of finished batches
}

// Adversarial are the images that an attack made.
type Adversarial struct {
	attack.Outcome
	Clean    []float32 // (n,C,H,W)
	Labels   []int32
	Channels int
	Size     int // H and W
}

// AttackPoint is one ε.
type Point struct {
	Epsilon   float64 `json:"epsilon_255"`
	Accuracy  float64 `json:"accuracy"`
	Broken    int     `json:"broken"`    // images broken at this ε first; at 0 those answered wrongly anyway
	Confirmed int     `json:"confirmed"` // of those, wrong again with fresh noise
}

// AttackRun is what an attack needs beside its options.
type Run struct {
	From     *predict.Predictor // its gradients are used instead: a transfer attack; nil: the predictor's own
	Folder   string             // finished batches are kept here, so that an interrupted attack goes on; "": nowhere
	Progress func(done, total int)
	Point    func(Point) // hears of each ε done
}

// AttackWith measures the accuracy against ε until ctx ends, by the gradients of run.From, going
// on with what run.Folder keeps of the same attack. Images carry no noise but the predictor's
// own.
func Measure(ctx context.Context, p *predict.Predictor, split string, o Options, run Run) (Result, error) {
	o = o.settled()
	r := Result{Options: o}
	if err := o.check(); err != nil {
		return r, err
	}
	r.Subject = p.Subject(0) // the images themselves carry no noise
	var err error
	r.Found.Clean, r.Found.Labels, r.DataHash, err = cleanImages(p, split, o.Images)
	if err != nil {
		return r, err
	}
	c := p.Net().Config
	r.Found.Channels, r.Found.Size = c.InC, c.Size
	r.Images, r.Samples = len(r.Found.Labels), len(r.Found.Labels)
	if run.From != nil {
		source := run.From.Subject(run.From.Noise())
		r.Source = &source
	}
	r.Text = o.protocol(r.Source)
	return r, curve(ctx, p, &r, run)
}

// settled replaces zeros by what they stand for.
func (o Options) settled() Options {
	if o.Kind == "" {
		o.Kind = Kinds[0]
	}
	for field, value := range map[*int]int{&o.Draws: 1, &o.Queries: 1000, &o.Batch: 50} {
		if *field == 0 {
			*field = value
		}
	}
	return o
}

func (o Options) check() error {
	if o.Chains < 1 || o.Chains > feed.EvalBatch || o.Refine < 0 || o.Images < 1 || o.Draws < 1 || o.Queries < 1 || o.Batch < 1 {
		return fmt.Errorf("attack with %d chains, %d refinement steps, %d images, %d draws, %d queries, batches of %d: want 1 to %d chains, at least 0 steps and 1 of the others",
			o.Chains, o.Refine, o.Images, o.Draws, o.Queries, o.Batch, feed.EvalBatch)
	}
	if !slices.Contains(Kinds, o.Kind) {
		return fmt.Errorf("no attack %q; there are %s", o.Kind, strings.Join(Kinds, ", "))
	}
	return nil
}

// protocol says in words what the figures are.
func (o Options) protocol(source *predict.Subject) string {
	parts := []string{
		Meanings[o.Kind],
		"pixels kept in range; images answered wrongly without attack count as wrong; logits averaged over the chains",
	}
	switch {
	case source != nil:
		parts = append(parts, "images made against another network (source) and shown to this one")
	case o.Kind == "square" || o.Kind == "boundary" || o.Kind == "pointwise":
		parts = append(parts, "no gradients")
	case o.Refine == 0:
		parts = append(parts, "exact gradient for the noise drawn")
	default:
		parts = append(parts, "the gradient passes straight through refinement, as published, so it is not exact")
	}
	if o.Draws > 1 {
		return strings.Join(append(parts, fmt.Sprintf("losses and gradients are means over %d draws of the noise", o.Draws)), "; ")
	}
	return strings.Join(append(parts, "fresh noise each query"), "; ")
}

// cleanImages reads the first n images of a split without noise.
func cleanImages(p *predict.Predictor, split string, n int) ([]float32, []int32, string, error) {
	images, _, err := feed.OpenImages(p.Config, split, 0)
	if err != nil {
		return nil, nil, "", err
	}
	images = feed.Head(images, n)
	if images.Len() == 0 {
		return nil, nil, "", &fault.Error{Kind: fault.Missing, Reason: "no images to attack"}
	}
	var all []float32
	var labels []int32
	d, seen := len(p.Batch().Images)/feed.EvalBatch, feed.NewDigest(images)
	for i := range images.Batches() {
		n := seen.Batch(i, p.Batch().Images, p.Batch().Labels)
		all, labels = append(all, p.Batch().Images[:n*d]...), append(labels, p.Batch().Labels[:n]...)
	}
	return all, labels, seen.Sum(), nil
}

// curve runs the attack and fills in what it finds.
func curve(ctx context.Context, p *predict.Predictor, r *Result, run Run) error {
	o := r.Options
	target := eval.Refined(p, o.Refine, o.Chains, o.Noise)
	defer target.Close()
	how, free := attacker(p, o, run.From != nil)
	if run.From != nil {
		source := eval.Refined(run.From, o.Refine, o.Chains, o.Noise)
		defer source.Close()
		with := how
		how = func(radius float64) attack.Attack {
			return attack.Transfer{From: expected(&until{ctx, source}, o.Draws), With: with(radius)}
		}
		if free != nil {
			return fmt.Errorf("attack %s makes no images for another network: its changes are as small as they can be for its own", o.Kind)
		}
	}
	c := attack.Curve{In: how, Free: free, Norm: attack.Norm(o.Norm), Batch: o.Batch, Key: philox.New(o.Seed, 0, philox.SampleNoise)}
	for _, e := range o.Epsilons {
		c.Radii = append(c.Radii, e*pixelStep)
	}
	if run.Folder != "" {
		store, err := openUnits(run.Folder, r)
		if err != nil {
			return err
		}
		c.Store = store
	}
	batches := (len(r.Found.Labels) + o.Batch - 1) / o.Batch
	c.Progress = func(done, total int, so attack.Outcome) {
		if run.Progress != nil {
			run.Progress(done, total)
		}
		if n := done / batches; run.Point != nil && done%batches == 0 && free == nil {
			run.Point(o.points(so.Points(c.Radii[:n]))[n])
		}
	}
	found, err := c.Run(expected(&until{ctx, target}, o.Draws), r.Found.Clean, r.Found.Labels)
	r.Found.Outcome = found
	if err == nil {
		r.Points = o.points(found.Points(c.Radii))
	}
	return err
}

// points are a curve's points with ε as it was given, without rounding.
func (o Options) points(all []attack.Point) (points []Point) {
	for i, at := range all {
		p := Point{0, at.Accuracy, at.Broken, at.Confirmed}
		if i > 0 {
			p.Epsilon = o.Epsilons[i-1]
		}
		points = append(points, p)
	}
	return points
}

// Worst is the curve of the images' smallest ε under any of several attacks on one predictor.
func Worst(results ...Result) (Adversarial, []Point) {
	var all []attack.Outcome
	for _, r := range results {
		all = append(all, r.Found.Outcome)
	}
	w, o := results[0].Found, results[0].Options
	w.Outcome = attack.Worst(all...)
	var radii []float64
	for _, e := range o.Epsilons {
		radii = append(radii, e*pixelStep)
	}
	return w, o.points(w.Points(radii))
}
