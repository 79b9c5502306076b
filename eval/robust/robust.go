package robust

import (
	"context"
	"fmt"
	"slices"

	"jem/backend/philox"
	"jem/eval"
	"jem/eval/attack"
	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
)

// Result is a curve of accuracy against ε.
type Result struct {
	predict.Subject
	Options
	predict.Protocol
	Source *predict.Subject `json:"source,omitempty"` // the network whose gradients made the images, where it is another
	Points []Point          `json:"points"`           // the first without attack
	Split  string           `json:"split"`            // that the images are of
	Notes  []string         `json:"-"`                // sentences for the user, there after an error, too

	Found Adversarial `json:"-"`
	units string      // folder of finished batches
}

// Point is one ε.
type Point struct {
	Epsilon   float64 `json:"epsilon_255"`
	Accuracy  float64 `json:"accuracy"`
	Broken    int     `json:"broken"`    // images broken at this ε first; at 0 those answered wrongly anyway
	Confirmed int     `json:"confirmed"` // of those, wrong again with fresh noise
}

// Measure measures the accuracy against ε until ctx ends, going on with what o.Folder keeps of the
// same attack. Images carry no noise but the predictor's own.
func Measure(ctx context.Context, p *predict.Predictor, o Options, watch predict.Watch) (Result, error) {
	o = o.settled()
	r := Result{Options: o}
	if err := o.check(); err != nil {
		return r, err
	}
	if o.From != nil {
		if err := alike(p, o.From); err != nil {
			return r, err
		}
	}
	r.Subject = p.Subject(0) // the images themselves carry no noise
	if err := r.clean(p); err != nil {
		return r, err
	}
	c := p.Net().Config
	r.Found.Channels, r.Found.Size = c.InC, c.Size
	r.Images, r.Samples = len(r.Found.Labels), len(r.Found.Labels)
	if o.From != nil {
		source := o.From.Subject(o.From.Noise())
		r.Source = &source
	}
	r.Text = o.protocol(r.Source)
	return r, r.attack(ctx, p, watch)
}

// alike refuses to carry images from one network to another that takes others or knows other
// classes: a label must mean the same to both.
func alike(p, from *predict.Predictor) error {
	mine, other := p.Net().Config, from.Net().Config
	reason := ""
	switch {
	case [3]int{mine.Classes, mine.InC, mine.Size} != [3]int{other.Classes, other.InC, other.Size}:
		reason = fmt.Sprintf("takes images of %d×%d×%d and knows %d classes, the network attacked %d×%d×%d and %d",
			other.InC, other.Size, other.Size, other.Classes, mine.InC, mine.Size, mine.Size, mine.Classes)
	case !slices.Equal(p.Classes, from.Classes):
		reason = fmt.Sprintf("knows the classes %s, the network attacked %s", fault.Names(from.Classes), fault.Names(p.Classes))
	default:
		return nil
	}
	return &fault.Error{Path: from.Checkpoint, Kind: fault.ErrBad, Reason: reason + ": images can't be made on one for the other"}
}

// clean reads the images to attack, without noise.
func (r *Result) clean(p *predict.Predictor) error {
	part, notes, err := p.Source().Images(r.Options.Split, 0)
	r.Split, r.Notes = part.Split, notes
	if err != nil {
		return err
	}
	images := feed.Head(part.Images, r.Options.Images)
	if images.Len() == 0 {
		return &fault.Error{Kind: fault.ErrMissing, Reason: "no images to attack"}
	}
	at, seen := p.Batch(), feed.NewDigest(images)
	d := len(at.Images) / feed.EvalBatch
	for i := range images.Batches() {
		n := seen.Batch(i, at.Images, at.Labels)
		r.Found.Clean, r.Found.Labels = append(r.Found.Clean, at.Images[:n*d]...), append(r.Found.Labels, at.Labels[:n]...)
	}
	r.DataHash = seen.Sum()
	return nil
}

// attack attacks the clean images and fills in what it finds.
func (r *Result) attack(ctx context.Context, p *predict.Predictor, watch predict.Watch) error {
	o := r.Options
	target := eval.Refined(p, o.Refine, o.Chains, o.Noise)
	defer target.Close()
	in, free := attacker(p, o, o.From != nil)
	if o.From != nil {
		if free != nil {
			return fmt.Errorf("attack %s makes no images for another network: its changes are as small as they can be for its own", o.Kind)
		}
		source := eval.Refined(o.From, o.Refine, o.Chains, o.Noise)
		defer source.Close()
		in = transfer(expected(&until{ctx, source}, o.Draws), in)
	}
	c := attack.Curve{In: in, Free: free, Radii: o.radii(), Norm: attack.Norm(o.Norm), Batch: o.Batch, Key: philox.New(o.Seed, 0, philox.SampleNoise)}
	if o.Folder != "" {
		store, err := openUnits(o.Folder, r)
		if err != nil {
			return err
		}
		c.Store = store
	}
	batches := (len(r.Found.Labels) + o.Batch - 1) / o.Batch
	c.Progress = func(done, total int, so attack.Outcome) {
		watch.Tell(fmt.Sprintf("%s on JEM-%d", o.Kind, o.Refine), done, total)
		if n := done / batches; o.Point != nil && done%batches == 0 && free == nil {
			o.Point(o.points(so.Points(c.Radii[:n]))[n])
		}
	}
	found, err := c.Run(expected(&until{ctx, target}, o.Draws), r.Found.Clean, r.Found.Labels)
	r.Found.Outcome = found
	if err == nil {
		r.Points = o.points(found.Points(c.Radii))
	}
	return err
}

// radii are the ε in the network's range.
func (o Options) radii() (radii []float64) {
	for _, e := range o.Epsilons {
		radii = append(radii, e*level)
	}
	return radii
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
