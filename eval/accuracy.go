package eval

import (
	"context"
	"fmt"
	"image"
	"math"

	"jem/backend/philox"
	"jem/feed"
	"jem/internal/fault"
	"jem/predict"
)

// Options say what accuracy is measured on.
type Options struct {
	Split  string  // one of feed.Splits; "": as feed.Source chooses
	Limit  int     // only the first so many images; 0: all
	Noise  float32 // std of the pixel noise; 0: none
	Refine int     // k, SGLD steps up log p(x) before the answer; 0: none
	Seed   uint64  // of their noise
}

// Result is the accuracy of JEM-k, with what it was measured on.
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

	predict.Breakdown
	judged  *predict.Judgement
	classes []string

	Notes []string `json:"-"` // sentences for the user, there after an error, too
}

// Measure measures the accuracy of JEM-k, until ctx ends.
func Measure(ctx context.Context, p *predict.Predictor, o Options, watch predict.Watch) (Result, error) {
	r := Result{Subject: p.Subject(o.Noise), Refine: o.Refine, SGLDSeed: o.Seed}
	images, notes, err := p.Source().Images(o.Split, o.Noise)
	r.Split, r.Notes = images.Split, notes
	if err != nil {
		return r, err
	}
	about := fmt.Sprintf("noise %g, refine %d", o.Noise, o.Refine)
	seen := feed.NewDigest(&watched{Images: feed.Head(images.Images, o.Limit), about: about, watch: watch})
	var a *predict.Judgement
	if o.Refine > 0 {
		a, err = refined(ctx, p, seen, o.Refine, o.Seed)
	} else {
		a, err = p.Batch().Judge(ctx, seen)
	}
	if err != nil {
		return r, err
	}
	if sum := a.Loss + a.LogPx; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return r, &fault.Error{Path: p.Checkpoint, Kind: fault.ErrBad, Reason: fmt.Sprintf("the mean cross-entropy is %g and the mean log p(x) %g: weights or images are broken", a.Loss, a.LogPx)}
	}
	r.Images, r.Accuracy, r.Loss, r.LogPx = a.Images, a.Accuracy.Accuracy, a.Loss, a.LogPx
	r.Breakdown, r.judged, r.classes = a.Breakdown(p.Classes), a, p.Classes
	r.Protocol = predict.Protocol{Text: "largest logit", DataHash: seen.Sum(), Samples: a.Images}
	if o.Refine > 0 {
		r.Text = fmt.Sprintf("largest logit after %d SGLD steps up log p(x), step %d, noise %g, one chain an image", o.Refine, refineStep, refineNoise)
	}
	return r, nil
}

// Pictures draws the worst mistakes, by the names of files; none without mistakes.
func (r Result) Pictures() (map[string]image.Image, error) {
	img, err := r.judged.Draw(r.classes)
	if img == nil {
		return nil, err
	}
	return map[string]image.Image{"mistakes.png": img}, nil
}

// refined judges JEM-k with one copy of each image (official test_clf with
// n_steps = k). The seed is that of the SGLD noise.
func refined(ctx context.Context, p *predict.Predictor, images feed.Images, k int, seed uint64) (*predict.Judgement, error) {
	r, batch := Refined(p, k, 1, 0), p.Batch()
	defer r.Close()
	pixels, key := len(batch.Images)/feed.EvalBatch, philox.New(seed, 0, philox.SampleNoise)
	return batch.JudgeAnswers(ctx, images, func(i, n int) ([]float32, error) {
		return r.Logits(batch.Images[:n*pixels], n, key.At(i, 0))
	})
}

// watched is a set of images that tells how many it handed out.
type watched struct {
	feed.Images
	about string
	watch predict.Watch
	done  int
}

// Batch implements feed.Images.
func (w *watched) Batch(i int, images []float32, labels []int32) int {
	n := w.Images.Batch(i, images, labels)
	w.done += n
	w.watch.Tell(w.about, w.done, w.Len())
	return n
}
