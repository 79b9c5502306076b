package feed

import (
	"jem/backend/philox"
	"jem/config"
	"jem/internal/data"
	"jem/sampler"
)

// OpenStart is the distribution that a run's fresh chains begin with. That of gaussian starts is
// fitted to the images that the run trains on, so these are read.
func OpenStart(c config.Config) (sampler.Start, error) {
	if c.Sampler.Start != "gaussian" {
		return sampler.Uniform{}, nil
	}
	set, _, err := Read(&c, data.Train)
	if err != nil {
		return nil, err
	}
	split, _, err := holdout(&c, set)
	if err != nil {
		return nil, err
	}
	return start(&c, set, split)
}

// start is OpenStart for images that have been read.
func start(c *config.Config, set *data.Set, split []int) (sampler.Start, error) {
	if c.Sampler.Start != "gaussian" {
		return sampler.Uniform{}, nil
	}
	g, err := data.NewClassGaussian(set, split, data.GaussianOptions{Key: philox.New(c.Seed, 0, philox.BufferInit)})
	if err != nil {
		return nil, unfit("sampler.start", err)
	}
	return g, nil
}
