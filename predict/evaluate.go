package predict

import (
	"context"
	"fmt"

	"jem/backend"
	"jem/feed"
	"jem/model"
)

// Accuracy is the outcome of an evaluation.
type Accuracy struct {
	Split    string  `json:"split"` // valid, test, train
	Images   int     `json:"images"`
	Accuracy float64 `json:"accuracy"` // share in [0,1]
	Loss     float64 `json:"loss"`     // mean cross-entropy
	LogPx    float64 `json:"log_px"`   // mean LogSumExp of the logits
	Noise    float32 `json:"noise"`    // std of the pixel noise that was added
	EMA      bool    `json:"ema"`      // of the averaged weights

	Confidence float64 `json:"mean_confidence"` // mean of the largest p(y|x)
	ECE        float64 `json:"ece"`             // expected calibration error in [0,1], see ECEBins
}

func (a Accuracy) String() string {
	return fmt.Sprintf("%s accuracy %.2f %% on %s", a.Split, 100*a.Accuracy, CountImages(a.Images))
}

// CountImages is a number of images in words.
func CountImages(n int) string {
	if n == 1 {
		return "1 image"
	}
	return fmt.Sprintf("%d images", n)
}

// Evaluator runs images through a network and reads the logits on the host.
type Evaluator struct {
	dev    backend.Device
	net    *model.Network
	rows   int            // feed.EvalBatch, or fewer: see AtMost
	x      backend.Tensor // (rows,C,H,W)
	logits []float32      // (rows,K) of the last forward pass, on the host

	Images []float32      // (rows,C,H,W), what Forward runs: for callers to fill
	Labels []int32        // (rows) room for their labels
	Last   backend.Tensor // logits (n,K) of the last forward pass, the network's own
}

// NewEvaluator makes room for batches of feed.EvalBatch, on the device and on the host.
func NewEvaluator(d backend.Device, net *model.Network) *Evaluator {
	return newEvaluator(d, net, feed.EvalBatch)
}

func newEvaluator(d backend.Device, net *model.Network, rows int) *Evaluator {
	c, e := net.Config, planEvaluator(d, net, rows)
	e.Images, e.Labels, e.logits = make([]float32, rows*c.InC*c.Size*c.Size), make([]int32, rows), make([]float32, rows*c.Classes)
	return e
}

// planEvaluator makes room on the device alone.
func planEvaluator(d backend.Device, net *model.Network, rows int) *Evaluator {
	c := net.Config
	return &Evaluator{dev: d, net: net, rows: rows, x: d.New(backend.Image, rows, c.InC, c.Size, c.Size)}
}

// Forward returns the logits (n,K) of the first n images in e.Images.
func (e *Evaluator) Forward(n int) ([]float32, error) {
	x := e.upload(n)
	backend.Pass(e.dev, func() { e.Last = e.net.Forward(x, model.Mode{}) })
	return e.answers(n)
}

// upload brings the first n images to the device.
func (e *Evaluator) upload(n int) backend.Tensor {
	x := e.dev.Rows(e.x, 0, n)
	e.dev.Upload(x, e.Images[:n*len(e.Images)/e.rows])
	return x
}

// answers are the logits of the last pass, of n images.
func (e *Evaluator) answers(n int) ([]float32, error) {
	out := e.logits[:n*e.net.Config.Classes]
	return out, e.dev.Download(out, e.Last)
}

// Judge classifies a whole set, or returns the error of ctx when that ends.
func (e *Evaluator) Judge(ctx context.Context, set feed.Images) (*Judgement, error) {
	return e.JudgeAnswers(ctx, set, func(_, n int) ([]float32, error) { return e.Forward(n) })
}

// JudgeAnswers is Judge of whoever answers: with logits (n,K) of the first n images in e.Images,
// which are batch i of the set.
func (e *Evaluator) JudgeAnswers(ctx context.Context, set feed.Images, answer func(i, n int) ([]float32, error)) (*Judgement, error) {
	judged, seen := newJudgement(set.Len(), e.net.Config), 0
	k, pixels := e.net.Config.Classes, len(e.Images)/e.rows
	for i := range set.Batches() {
		if err := ctx.Err(); err != nil {
			return judged, err
		}
		n := set.Batch(i, e.Images, e.Labels)
		logits, err := answer(i, n)
		if err != nil {
			return judged, err
		}
		for j, y := range e.Labels[:n] {
			judged.add(seen+j, e.Images[j*pixels:(j+1)*pixels], logits[j*k:(j+1)*k], int(y))
		}
		seen += n
	}
	judged.average()
	return judged, nil
}
