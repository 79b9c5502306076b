package step

import (
	"slices"

	"jem/config"
	"jem/feed"
	"jem/model"
)

// origin says what streams give a part's images and labels; "": none does.
type origin struct{ images, labels string }

func originOf(c *config.Config, r model.Role) origin {
	switch r {
	case model.DataPX:
		return origin{config.StreamData, config.StreamData}
	case model.Labeled, model.DataPX | model.Labeled:
		return origin{config.StreamLabeled, config.StreamLabeled}
	case model.ChainXY:
		return origin{labels: config.StreamLabeled}
	case model.ChainPX:
		if c.Objective.ClassCond {
			return origin{labels: config.LabelUniform}
		}
		return origin{}
	}
	n := c.Negatives()[r]
	return origin{n.Start, n.Label}
}

// Load takes the settings of the step and uploads its images and labels.
func (s *Step) Load(at At) error {
	s.turn(at)
	for _, source := range []string{config.StreamData, config.StreamLabeled, config.StreamOutliers} {
		if err := s.fetch(source, at); err != nil {
			return err
		}
	}
	if err := s.shareLabels(); err != nil {
		return err
	}
	s.label(at)
	s.dev.UploadIndex(s.Batch.labels, ownRows(s.Batch, s.Batch.hostLabels))
	return nil
}

// turn makes the settings and the batch those of the step.
func (s *Step) turn(at At) {
	if len(s.cfg.Train.Schedule) > 0 {
		s.now = s.cfg.At(at.Step, s.TotalSteps())
		s.Batch = s.batchOf(&s.now)
	}
	s.Batch.weigh(s.dev, s.now.Loss())
}

// source is the stream that gives what a part has of the named one: the labelled one serves as data,
// too, where they are shared.
func (s *Step) source(name string) string {
	if name == config.StreamData && s.src.PX == nil {
		return config.StreamLabeled
	}
	return name
}

// fetch takes the step's images and labels of a stream to all parts that want them. A stream that none
// wants is left alone.
func (s *Step) fetch(source string, at At) error {
	wanted := slices.ContainsFunc(s.Batch.Views, func(v View) bool {
		return s.source(v.origin.images) == source || s.source(v.origin.labels) == source
	})
	if !wanted {
		return nil
	}
	images, labels, err := s.stream(source).Batch(at.draw())
	if err != nil {
		return err
	}
	for i, v := range s.Batch.Views {
		if s.source(v.origin.images) == source {
			s.dev.Upload(v.X, images)
		}
		if s.source(v.origin.labels) == source {
			copy(s.Batch.host(i)[v.lo:], labels)
		}
	}
	return nil
}

func (s *Step) stream(source string) feed.Stream {
	switch source {
	case config.StreamData:
		return s.src.PX
	case config.StreamOutliers:
		return s.src.Outliers
	}
	return s.src.Labeled
}

// label draws the classes that images climb to where no stream gives them.
func (s *Step) label(at At) {
	for i, v := range s.Batch.Views {
		if v.origin.labels != config.LabelUniform {
			continue
		}
		sub := 0
		if r := s.Batch.Parts[i].Role; r != model.ChainPX {
			sub = int(r)
		}
		key := s.keys.labels.At(at.draw(), sub)
		for j := range s.Batch.host(i) {
			s.Batch.host(i)[j] = int32(key.IntN(uint64(j), s.Net.Config.Classes))
		}
	}
}
