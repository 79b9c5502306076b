package eval

import (
	"context"
	"fmt"
	"math"

	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
)

// AccuracyResult is the accuracy of JEM-k, with what it was measured on.
type Result struct {
	predict.Subject
	predict.Protocol
	Split    string  `json:"split"`
	Images   int     `json:"images"`
	Refine   int     `json:"refine"`    // k, SGLD steps before the answer
	SGLDSeed uint64  `json:"sgld_seed"` // of their noise
	Accuracy float64 `json:"accuracy"`  // share in [0,1]
	Loss     float64 `json:"loss"`      // mean cross-entropy
	LogPx    float64 `json:"log_px"`    // mean LogSumExp of the logits
}

// Classify measures the accuracy on images of a split after k refinement steps, until ctx
// ends. Progress, if not nil, hears of every batch's images.
func Accuracy(ctx context.Context, p *predict.Predictor, images feed.Images, noise float32, split string, k int, seed uint64, progress func(n int)) (Result, error) {
	r := Result{Split: split, Refine: k, SGLDSeed: seed}
	r.Subject = p.Subject(noise)
	var err error
	seen := feed.NewDigest(&told{images, progress})
	var a predict.Accuracy
	if k > 0 {
		a, err = refinedAccuracy(ctx, p, seen, split, k, seed)
	} else {
		a, err = p.Batch().Accuracy(ctx, seen)
	}
	if err != nil {
		return r, err
	}
	if sum := a.Loss + a.LogPx; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return r, &fault.Error{Path: p.Checkpoint, Kind: fault.Bad, Reason: fmt.Sprintf("the mean cross-entropy is %g and the mean log p(x) %g: weights or images are broken", a.Loss, a.LogPx)}
	}
	r.Images, r.Accuracy, r.Loss, r.LogPx = a.Images, a.Accuracy, a.Loss, a.LogPx
	r.Protocol = predict.Protocol{Text: "largest logit", DataHash: seen.Sum(), Samples: a.Images}
	if k > 0 {
		r.Text = fmt.Sprintf("largest logit after %d SGLD steps up log p(x), step %d, noise %g, one chain an image", k, refineStep, refineNoise)
	}
	return r, nil
}

// told is a set of images that tells how many it handed out.
type told struct {
	feed.Images
	tell func(n int)
}

// Batch implements Images.
func (t *told) Batch(i int, images []float32, labels []int32) int {
	n := t.Images.Batch(i, images, labels)
	if t.tell != nil {
		t.tell(n)
	}
	return n
}
