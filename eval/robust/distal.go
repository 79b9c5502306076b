package robust

import (
	"context"

	"jem/backend/philox"
	"jem/eval"
	"jem/eval/attack"
	"jem/feed"
	"jem/predict"
)

// DistalOptions ask for images of a class made from noise.
type DistalOptions struct {
	Class      int     `json:"class"`
	N          int     `json:"n"`          // images
	Steps      int     `json:"steps"`      // at most
	StepSize   float64 `json:"step_size"`  // Euclidean, pixels in [−1,1]
	Confidence float64 `json:"confidence"` // p(class|x) to reach, the paper's 0.9
	Seed       uint64  `json:"noise_seed"`
}

// DistalImages are the paper's distal adversarials.
type DistalImages struct {
	predict.Subject
	predict.Protocol
	DistalOptions
	Reached          []float64 `json:"reached"` // confidence, by image
	Taken            []int     `json:"steps_taken"`
	*predict.Samples `json:"-"`
}

const distalProtocol = "from uniform noise in [−1,1] along the normalised gradient of the cross-entropy with the class, pixels clamped, until the confidence is reached; k = 0, no noise"

// Distal moves U(−1,1) noise until the network (k = 0, no noise) takes it for the class.
func Distal(p *predict.Predictor, o DistalOptions) (DistalImages, error) {
	c := p.Net().Config
	r := DistalImages{DistalOptions: o, Samples: &predict.Samples{Channels: c.InC, Size: c.Size}}
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
	target := &until{context.Background(), network}
	found, err := attack.Distal{StepSize: o.StepSize, Steps: o.Steps, Confidence: o.Confidence}.Run(target, images, labels, key)
	if err != nil {
		return r, err
	}
	logits, err := target.Logits(images, o.N, key)
	if err != nil {
		return r, err
	}
	r.Samples.Add(images, logits, c.Classes)
	r.Reached, r.Taken = found.Confidence, found.Steps
	return r, nil
}
