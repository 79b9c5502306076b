package train

import (
	"context"

	"jem/backend"
	"jem/model"
)

// EvalBatch is the batch of evaluations, as published. It does not influence results.
const EvalBatch = 100

// evaluator runs images through a network and reads the logits on the host.
type evaluator struct {
	dev    backend.Device
	net    *model.WideResNet
	x      backend.Tensor // (EvalBatch,C,H,W)
	last   backend.Tensor // logits (n,K) of the last forward pass, the network's own
	images []float32
	labels []int32
	logits []float32
}

func newEvaluator(d backend.Device, net *model.WideResNet) *evaluator {
	c := net.Config
	return &evaluator{
		dev: d, net: net,
		x:      d.New(backend.Image, EvalBatch, c.InC, c.Size, c.Size),
		images: make([]float32, EvalBatch*c.InC*c.Size*c.Size),
		labels: make([]int32, EvalBatch),
		logits: make([]float32, EvalBatch*c.Classes),
	}
}

// forward returns the logits (n,K) of the first n images in e.images.
func (e *evaluator) forward(n int) ([]float32, error) {
	x := e.dev.Rows(e.x, 0, n)
	e.dev.Upload(x, e.images[:n*len(e.images)/EvalBatch])
	e.last = e.net.Forward(x, model.Mode{})
	out := e.logits[:n*e.net.Config.Classes]
	return out, e.dev.Download(out, e.last)
}

// accuracy classifies a whole set, or returns the error of ctx when that ends.
func (e *evaluator) accuracy(ctx context.Context, set Images) (Accuracy, error) {
	a := Accuracy{Images: set.Len()}
	k := e.net.Config.Classes
	for i := range set.Batches() {
		if err := ctx.Err(); err != nil {
			return a, err
		}
		n := set.Batch(i, e.images, e.labels)
		logits, err := e.forward(n)
		if err != nil {
			return a, err
		}
		for j, y := range e.labels[:n] {
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
