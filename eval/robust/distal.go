package robust

import (
	"cmp"
	"context"
	"fmt"
	"image"

	"jem/backend/philox"
	"jem/eval"
	"jem/eval/attack"
	"jem/feed"
	"jem/internal/picture"
	"jem/predict"
)

// DistalOptions ask for images of a class made from noise. Zero values stand for the paper's
// confidence, and for what we take where it says nothing.
type DistalOptions struct {
	Class      int     `json:"class"`
	N          int     `json:"n"`          // images; 0: 10
	Steps      int     `json:"steps"`      // at most; 0: 500
	StepSize   float64 `json:"step_size"`  // Euclidean, pixels in [−1,1]; 0: 0.2
	Confidence float64 `json:"confidence"` // p(class|x) to reach; 0: the paper's 0.9
	Seed       uint64  `json:"noise_seed"`
}

// DistalResult are the paper's distal adversarials.
type DistalResult struct {
	predict.Subject
	predict.Protocol
	DistalOptions
	Reached          []float64 `json:"reached"` // confidence, by image
	Taken            []int     `json:"steps_taken"`
	*predict.Samples `json:"-"`
}

const distalProtocol = "from uniform noise in [−1,1] along the normalised gradient of the cross-entropy with the class, pixels clamped, until the confidence is reached; k = 0, no noise"

// Distal moves U(−1,1) noise until the network (k = 0, no noise) takes it for the class, or ctx ends.
func Distal(ctx context.Context, p *predict.Predictor, o DistalOptions, watch predict.Watch) (DistalResult, error) {
	o = o.settled()
	if err := p.Keep(o.N); err != nil {
		return DistalResult{}, err
	}
	c := p.Net().Config
	r := DistalResult{DistalOptions: o, Samples: &predict.Samples{Channels: c.InC, Size: c.Size}}
	r.Subject = p.Subject(0)
	images, labels := make([]float32, o.N*c.InC*c.Size*c.Size), make([]int32, o.N)
	for i := range labels {
		labels[i] = int32(o.Class)
	}
	key := philox.New(o.Seed, 0, philox.Restart)
	key.FillUniform(images, -1, 1)
	seen := feed.NewDigest(nil)
	seen.Add(images, labels)
	r.Protocol = predict.Protocol{Text: distalProtocol, DataHash: seen.Sum(), Samples: o.N}
	network := eval.Refined(p, 0, 1, 0)
	defer network.Close()
	target := &until{ctx, network}
	const about = "steps towards the class"
	found, err := attack.Distal{
		StepSize: o.StepSize, Steps: o.Steps, Confidence: o.Confidence, Progress: func(done, total int) { watch.Tell(about, done, total) },
	}.Run(target, images, labels, key)
	if err != nil {
		return r, err
	}
	watch.Tell(about, o.Steps, o.Steps) // also where fewer were enough
	logits, err := target.Logits(images, o.N, key)
	if err != nil {
		return r, err
	}
	r.Samples.Add(images, logits, c.Classes)
	r.Reached, r.Taken = found.Confidence, found.Steps
	return r, nil
}

// settled replaces zeros by what they stand for.
func (o DistalOptions) settled() DistalOptions {
	o.N, o.Steps = cmp.Or(o.N, 10), cmp.Or(o.Steps, 500)
	o.StepSize, o.Confidence = cmp.Or(o.StepSize, 0.2), cmp.Or(o.Confidence, 0.9)
	return o
}

// Pictures shows the images, distal-CLASS.png; none where they are not at hand.
func (r DistalResult) Pictures() (map[string]image.Image, error) {
	if r.Samples == nil {
		return nil, nil
	}
	img, err := picture.Grid{}.Draw(picture.Batch{N: len(r.Samples.Class), C: r.Channels, H: r.Size, W: r.Size, Pix: r.Images})
	return map[string]image.Image{fmt.Sprintf("distal-%d.png", r.DistalOptions.Class): img}, err
}
