package feed

import (
	"jem/backend/philox"
	"jem/config"
	"jem/internal/data"
	"jem/sampler"
)

// Start is the distribution that a run's fresh chains begin with. That of gaussian starts is
// fitted to the images that the run trains on, so these are read.
func (s Source) Start() (sampler.Start, error) {
	if s.Config.Sampler.Start != "gaussian" {
		return sampler.Uniform{}, nil
	}
	train, _, err := s.Choose("train")
	if err != nil {
		return nil, err
	}
	return start(&s.Config, train.Set, train.Indices)
}

// start is Start for images that have been read.
func start(c *config.Config, set *data.Set, split []int) (sampler.Start, error) {
	if c.Sampler.Start != "gaussian" {
		return sampler.Uniform{}, nil
	}
	return gaussian(c, set, split, "sampler.start")
}

// gaussian is fitted to each class of the images to train on, because of a setting.
func gaussian(c *config.Config, set *data.Set, split []int, because string) (sampler.Start, error) {
	labelled, err := data.PerClass(set, split, c.Data.LabelsPerClass)
	if err != nil {
		return nil, unfit("data.labels_per_class", err)
	}
	g, err := data.NewClassGaussian(set, labelled, data.GaussianOptions{Key: philox.New(c.Seed, 0, philox.BufferInit)})
	if err != nil {
		return nil, unfit(because, err)
	}
	return g, nil
}
