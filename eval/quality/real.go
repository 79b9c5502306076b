package quality

import (
	"context"
	"fmt"

	"jem/feed"
)

// reference is the side of the real images, from the cache or computed and kept there.
func (j *judging) reference(ctx context.Context, n Network) (*Reference, error) {
	key := Key(n.About(), j.result.RealHash)
	if j.o.Cache != "" {
		if r, err := Kept(j.o.Cache, key); r != nil || err != nil {
			return r, err
		}
	}
	s := NewTally(j.result.Real, n.About().Features, 0)
	done := 0
	for _, set := range j.real {
		images := make([]float32, feed.EvalBatch*set.Dim())
		for lo := 0; lo < set.Len(); lo += feed.EvalBatch {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			count := min(feed.EvalBatch, set.Len()-lo)
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
			j.watch.Tell("features of real images", done, j.result.Real)
		}
	}
	r, err := s.Reference()
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	if j.o.Cache != "" {
		err = r.Keep(j.o.Cache, key)
	}
	return r, err
}
