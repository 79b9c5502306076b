package train

import (
	"fmt"
	"slices"

	"jem/internal/attack"
	"jem/internal/data"
	"jem/internal/philox"
)

// pixelStep is one step of a pixel of 8 bits in the network's range [−1,1].
const pixelStep = 2.0 / 255

// AttackOptions are those of PGD on the published predictor JEM-k.
type AttackOptions struct {
	Norm     string    `json:"norm"`        // linf or l2
	Epsilons []float64 `json:"epsilon_255"` // radii in units of 1/255 of the pixels' range, ascending, above 0
	Steps    int       `json:"pgd_steps"`   // 40 as published
	Restarts int       `json:"restarts"`    // 20 as published
	Refine   int       `json:"refine"`      // k, SGLD steps before the answer
	Chains   int       `json:"chains"`      // noisy copies of an image, 5 as published
	Noise    float32   `json:"chain_noise"` // std of the copies' noise, 0.03 as published for L∞, 0 for L2
	Images   int       `json:"images"`      // the first so many, 300 as published
	Seed     uint64    `json:"attack_seed"`
}

// AttackResult is a curve of accuracy against ε.
type AttackResult struct {
	Subject
	AttackOptions
	Protocol string        `json:"protocol"`
	Points   []AttackPoint `json:"points"` // the first without attack
}

// AttackPoint is one ε.
type AttackPoint struct {
	Epsilon   float64 `json:"epsilon_255"`
	Accuracy  float64 `json:"accuracy"`
	Broken    int     `json:"broken"`    // images broken at this ε first; at 0 those answered wrongly anyway
	Confirmed int     `json:"confirmed"` // of those, wrong again with fresh noise
}

const attackProtocol = "PGD from random starts, step 2.5·ε/steps, pixels kept in range; images answered wrongly without attack count as wrong; " +
	"logits averaged over the chains; the gradient passes straight through refinement, so it is exact for refine 0 only; fresh noise each query"

// Attack measures the accuracy against ε. Images carry no noise but the predictor's own.
// Progress, if not nil, hears of each ε done.
func (p *Predictor) Attack(split string, o AttackOptions, progress func(AttackPoint)) (AttackResult, error) {
	r := AttackResult{AttackOptions: o, Protocol: attackProtocol}
	if o.Chains < 1 || o.Chains > EvalBatch || o.Refine < 0 || o.Images < 1 {
		return r, fmt.Errorf("attack with %d chains, %d refinement steps, %d images: want 1 to %d chains, at least 0 steps and 1 image", o.Chains, o.Refine, o.Images, EvalBatch)
	}
	subject, err := p.Subject()
	if err != nil {
		return r, err
	}
	r.Subject = subject
	r.Subject.Noise = 0 // the images themselves carry none
	images, labels, err := p.clean(split, o.Images)
	if err != nil {
		return r, err
	}
	r.Images = len(labels)
	target := p.refined(o.Refine, o.Chains, o.Noise)
	defer target.Close()
	var radii []float64
	for _, e := range o.Epsilons {
		radii = append(radii, e*pixelStep)
	}
	told := func(at attack.Point) AttackPoint {
		return AttackPoint{at.Radius / pixelStep, at.Accuracy, at.Broken, at.Confirmed}
	}
	points, err := attack.Curve(target, attack.PGD{Norm: attack.Norm(o.Norm), Steps: o.Steps, Restarts: o.Restarts}, radii,
		images, labels, philox.New(o.Seed, 0, philox.SampleNoise), func(at attack.Point) {
			if progress != nil {
				progress(told(at))
			}
		})
	for i, at := range points {
		r.Points = append(r.Points, told(at))
		if i > 0 {
			r.Points[i].Epsilon = o.Epsilons[i-1] // as given, without rounding
		}
	}
	return r, err
}

// clean reads the first n images of a split without noise.
func (p *Predictor) clean(split string, n int) ([]float32, []int32, error) {
	quiet := p.Config
	quiet.Data.EvalNoise = false
	images, _, err := OpenImages(quiet, split)
	if err != nil {
		return nil, nil, err
	}
	images = Head(images, n)
	if images.Len() == 0 {
		return nil, nil, &data.Error{Kind: data.ErrMissing, Reason: "no images to attack"}
	}
	var all []float32
	var labels []int32
	d := len(p.eval.images) / EvalBatch
	for i := range images.Batches() {
		n := images.Batch(i, p.eval.images, p.eval.labels)
		all, labels = append(all, p.eval.images[:n*d]...), append(labels, p.eval.labels[:n]...)
	}
	return all, slices.Clone(labels), nil
}
