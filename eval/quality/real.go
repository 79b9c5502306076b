package quality

import (
	"context"
	"fmt"

	"jem/feed"
)

// reference is the side of the real images, from the cache or computed and kept there.
func (j *judging) reference(ctx context.Context, n Network) (*Reference, error) {
	key := Key(n.About(), j.result.RealHash)
	if r := j.kept(key); r != nil {
		return r, nil
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
	j.keep(r, key)
	return r, nil
}

// kept is the reference in the cache, or nil.
func (j *judging) kept(key string) *Reference {
	if j.o.Cache == "" {
		return nil
	}
	r, err := Kept(j.o.Cache, key)
	j.useless("read", err)
	return r
}

// keep puts a reference into the cache.
func (j *judging) keep(r *Reference, key string) {
	if j.o.Cache != "" {
		j.useless("kept", r.Keep(j.o.Cache, key))
	}
}

// useless says of what the cache failed in. It is a cache: the figures don't depend on it.
func (j *judging) useless(verb string, err error) {
	if err != nil && j.o.Tell != nil {
		j.o.Tell(fmt.Sprintf("features of real images are not %s: %v", verb, err))
	}
}
