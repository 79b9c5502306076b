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

// samples classifies chains with the weights that would be used for evaluation, until there are
// enough of each class for a row of the grid. They come in an order fixed by a key: each of a class
// has the same chance to be shown. It ends early when ctx does.
func samples(ctx context.Context, t *Trainer) (*predict.Samples, error) {
	if t.step.EMA != nil {
		defer t.step.EMA.Use()()
	}
	c := t.step.Net.Config
	pixels, size := c.InC*c.Size*c.Size, t.step.Buffer.Images.Shape()[0]
	n := min(size, maxSamples, max(feed.EvalBatch, perClass*c.Classes))
	order := make([]int, size)
	philox.New(0, 0, philox.ShownOrder).At(size, 1).Perm(order)
	host := make([]float32, pixels)
	s := &predict.Samples{Channels: c.InC, Size: c.Size}
	for lo := 0; lo < n && !s.Rows(c.Classes); lo += feed.EvalBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m := min(feed.EvalBatch, n-lo)
		for i := range m {
			slot := order[lo+i]
			if err := t.dev.Download(host, t.dev.Rows(t.step.Buffer.Images, slot, slot+1)); err != nil {
				return nil, err
			}
			copy(t.eval.Images[i*pixels:], host)
		}
		logits, err := t.eval.Forward(m)
		if err != nil {
			return nil, err
		}
		s.Add(t.eval.Images[:m*pixels], logits, c.Classes)
		if t.progress.Step == 0 {
			for i := range m {
				s.Class[lo+i] = int(t.step.Buffer.ClassOf(order[lo+i]))
			}
		}
	}
	return s.Sorted(pixels), nil
}
