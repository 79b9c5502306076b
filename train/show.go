package train

import (
	"context"

	"jem/feed"
	"jem/predict"
)

// maxSamples bounds how many chains samples looks at.
const maxSamples = 1000

// samples classifies up to 1,000 chains, spread evenly over the buffer, with the weights
// that would be used for evaluation. It ends early when ctx does.
func samples(ctx context.Context, t *Trainer) (*predict.Samples, error) {
	if t.step.EMA != nil {
		defer t.step.EMA.Use()()
	}
	c := t.step.Net.Config
	pixels, size := c.InC*c.Size*c.Size, t.step.Buffer.Images.Shape()[0]
	n := min(size, maxSamples)
	host := make([]float32, pixels)
	s := &predict.Samples{Channels: c.InC, Size: c.Size}
	for lo := 0; lo < n; lo += feed.EvalBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m := min(feed.EvalBatch, n-lo)
		for i := range m {
			slot := (lo + i) * size / n
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
	}
	if t.progress.Step == 0 {
		for i := range s.Class {
			s.Class[i] = int(t.step.Buffer.ClassOf(i * size / n))
		}
	}
	return s.Sorted(pixels), nil
}
