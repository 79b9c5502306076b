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
}

func (a Accuracy) String() string {
	return fmt.Sprintf("%s accuracy %.2f %% on %d images", a.Split, 100*a.Accuracy, a.Images)
}

// Evaluator runs images through a network and reads the logits on the host.
type Evaluator struct {
	dev    backend.Device
	net    *model.WideResNet
	x      backend.Tensor // (feed.EvalBatch,C,H,W)
	logits []float32      // (feed.EvalBatch,K) of the last forward pass, on the host

	Images []float32      // (feed.EvalBatch,C,H,W), what Forward runs: for callers to fill
	Labels []int32        // (feed.EvalBatch) room for their labels
	Last   backend.Tensor // logits (n,K) of the last forward pass, the network's own
}

// NewEvaluator makes room for batches on the device.
func NewEvaluator(d backend.Device, net *model.WideResNet) *Evaluator {
	c := net.Config
	return &Evaluator{
		dev: d, net: net,
		x:      d.New(backend.Image, feed.EvalBatch, c.InC, c.Size, c.Size),
		Images: make([]float32, feed.EvalBatch*c.InC*c.Size*c.Size),
		Labels: make([]int32, feed.EvalBatch),
		logits: make([]float32, feed.EvalBatch*c.Classes),
	}
}

// Forward returns the logits (n,K) of the first n images in e.Images.
func (e *Evaluator) Forward(n int) ([]float32, error) {
	x := e.dev.Rows(e.x, 0, n)
	e.dev.Upload(x, e.Images[:n*len(e.Images)/feed.EvalBatch])
	e.Last = e.net.Forward(x, model.Mode{})
	out := e.logits[:n*e.net.Config.Classes]
	return out, e.dev.Download(out, e.Last)
}

// Accuracy classifies a whole set, or returns the error of ctx when that ends.
func (e *Evaluator) Accuracy(ctx context.Context, set feed.Images) (Accuracy, error) {
	return e.AccuracyOf(ctx, set, func(_, n int) ([]float32, error) { return e.Forward(n) })
}

// AccuracyOf is Accuracy of whoever answers: with logits (n,K) of the first n images in e.Images,
// which are batch i of the set.
func (e *Evaluator) AccuracyOf(ctx context.Context, set feed.Images, answer func(i, n int) ([]float32, error)) (Accuracy, error) {
	a := Accuracy{Images: set.Len()}
	k := e.net.Config.Classes
	for i := range set.Batches() {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		n := set.Batch(i, e.Images, e.Labels)
		logits, err := answer(i, n)
		if err != nil {
			return a, err
		}
		for j, y := range e.Labels[:n] {
			a.count(logits[j*k:(j+1)*k], y)
		}
	}
	a.average()
	return a, nil
}

// count adds an image to the sums.
func (a *Accuracy) count(logits []float32, label int32) {
	lse := model.LogSumExp(logits)
	a.LogPx += lse
	a.Loss += lse - float64(logits[label])
	if model.Argmax(logits) == int(label) {
		a.Accuracy++
	}
}

// average turns the sums into means.
func (a *Accuracy) average() {
	total := float64(max(1, a.Images))
	a.Accuracy, a.Loss, a.LogPx = a.Accuracy/total, a.Loss/total, a.LogPx/total
}
