package train

import (
	"context"
	"fmt"

	"jem/internal/quality"
)

// reference is the side of the real images, from the cache or computed and kept there.
func (j *judging) reference(ctx context.Context, n quality.Network) (*quality.Reference, error) {
	key := quality.Key(n.About(), j.result.RealHash)
	if j.o.Cache != "" {
		if r, err := quality.Kept(j.o.Cache, key); r != nil || err != nil {
			return r, err
		}
	}
	s := quality.NewSample(j.result.Real, n.About().Features, 0)
	done := 0
	for _, set := range j.real {
		images := make([]float32, EvalBatch*set.Dim())
		for lo := 0; lo < set.Len(); lo += EvalBatch {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			count := min(EvalBatch, set.Len()-lo)
			for i := range count {
				set.Scaled(images[i*set.Dim():(i+1)*set.Dim()], lo+i)
			}
			features, logits, err := n.Run(images[:count*set.Dim()])
			if err != nil {
				return nil, err
			}
			if err := s.Add(features, logits); err != nil {
				return nil, fmt.Errorf("features of real images: %w", err)
			}
			done += count
			j.progress("features of real images", done, j.result.Real)
		}
	}
	finish := j.root(n.About())
	r, err := s.Reference()
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	finish()
	if j.o.Cache != "" {
		err = r.Keep(j.o.Cache, key)
	}
	return r, err
}

// root tells of a root that takes long, and returns what tells of its end.
func (j *judging) root(a quality.About) func() {
	const long = 1000 // features: some ten seconds
	if a.Features < long {
		return func() {}
	}
	j.progress("root", 0, 1)
	return func() { j.progress("root", 1, 1) }
}
