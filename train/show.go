package train

import (
	"context"

	"jem/backend/philox"
	"jem/feed"
	"jem/predict"
)

// samples looks at no more chains than maxSamples, or perClass a class: a class that the model
// hardly sees fills no row.
const (
	maxSamples = 1000
	perClass   = 30
)

// samples classifies chains, or images drawn in their place, with the weights that would be used for
// evaluation, until there are enough of each class for a row of the grid. It ends early when ctx does.
func samples(ctx context.Context, t *Trainer) (*predict.Samples, error) {
	if t.step.EMA != nil {
		defer t.step.EMA.Use()()
	}
	c := t.step.Net.Config
	pixels := c.InC * c.Size * c.Size
	n, fill := shown(ctx, t, pixels)
	s := &predict.Samples{Channels: c.InC, Size: c.Size}
	for lo := 0; lo < n && !s.Rows(c.Classes); lo += feed.EvalBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m := min(feed.EvalBatch, n-lo)
		classes, err := fill(t.eval.Images[:m*pixels], lo)
		if err != nil {
			return nil, err
		}
		logits, err := t.eval.Forward(m)
		if err != nil {
			return nil, err
		}
		s.Add(t.eval.Images[:m*pixels], logits, c.Classes)
		if t.progress.Step == 0 {
			copy(s.Class[lo:], classes)
		}
	}
	return s.Sorted(pixels), nil
}

// shown is how many images may be looked at and what writes those from lo on, with the classes that they
// were begun for. Chains come in an order fixed by a key: each of a class has the same chance to be shown.
func shown(ctx context.Context, t *Trainer, pixels int) (n int, fill func(images []float32, lo int) (classes []int, err error)) {
	k := t.step.Net.Config.Classes
	if t.step.Buffer == nil {
		return min(maxSamples, max(feed.EvalBatch, 10*k)), func(images []float32, lo int) ([]int, error) {
			classes := make([]int, len(images)/pixels)
			for i := range classes {
				classes[i] = (lo + i) % k
			}
			if t.progress.Step == 0 {
				t.step.Starts(images, lo) // as the first chains are shown: before they move
				return classes, nil
			}
			return classes, t.step.Draw(ctx, images, lo)
		}
	}
	size := t.step.Buffer.Images.Shape()[0]
	order := make([]int, size)
	philox.New(0, 0, philox.ShownOrder).At(size, 1).Perm(order)
	return min(size, maxSamples, max(feed.EvalBatch, perClass*k)), func(images []float32, lo int) ([]int, error) {
		classes := make([]int, len(images)/pixels)
		for i := range classes {
			slot := order[lo+i]
			classes[i] = int(t.step.Buffer.ClassOf(slot))
			if err := t.dev.Download(images[i*pixels:(i+1)*pixels], t.dev.Rows(t.step.Buffer.Images, slot, slot+1)); err != nil {
				return nil, err
			}
		}
		return classes, nil
	}
}
