package step

import (
	"fmt"

	"jem/backend"
	"jem/backend/trace"
	"jem/config"
	"jem/config/settings"
	"jem/feed"
	"jem/internal/data"
	"jem/internal/sysmem"
	"jem/predict"
)

// Footprint is the device memory that a run takes, in bytes, by what it depends on.
type Footprint struct {
	Parameters  int64 `json:"parameters"`  // values, gradients, optimiser's state, moving average
	Plans       int64 `json:"plans"`       // the convolutions' own: weights in their order, sums, working memory
	Activations int64 `json:"activations"` // of a batch, with their gradients and the images
	Buffer      int64 `json:"buffer"`      // the replay buffer

	// Copy is the host memory for a copy of the state, from which checkpoints are written while
	// training goes on. It is not of the device, nor of Total.
	Copy int64 `json:"copy"`
}

// rehearse makes the passes of a step, and an evaluation's, on a device that computes nothing.
func (s *Step) rehearse(paper *trace.Device) error {
	for i, v := range s.Batch.Views {
		if v.Grad != nil {
			s.density(i).LogDensityGrad(v.Grad, v.X)
		}
	}
	s.JEM.Logits(paper.Rows(s.Batch.x, 0, feed.EvalBatch))
	return s.passes(At{}, s.norms(), nil)
}

// Total is the sum, of the device's.
func (f Footprint) Total() int64 { return f.Parameters + f.Plans + f.Activations + f.Buffer }

// NewFootprint computes the memory of a run on a device without taking it: the step is
// planned, by the code that will make it, on a device that only adds up sizes. It is that of one of so
// many ranks. false where the device doesn't tell sizes.
func NewFootprint(dev backend.Device, c config.Config, src feed.Sources, ranks int) (Footprint, bool, error) {
	sizes, ok := dev.(backend.Sizer)
	if !ok {
		return Footprint{}, false, nil
	}
	paper := trace.NewOn(sizes)
	s, err := plan(paper, c, src, crowd{size: ranks})
	if err != nil {
		return Footprint{}, false, err
	}
	predict.NewEvaluator(paper, s.Net) // a run has one
	if err := s.rehearse(paper); err != nil {
		return Footprint{}, false, err
	}
	t := paper.Taken()
	if s.sum != nil {
		t.Values += 4 * int64(s.Net.Params.Len()) // where gradients are added up
	}
	f := Footprint{Parameters: t.Values, Plans: t.Plans, Activations: t.Images}
	if shape := s.buffered(); shape != nil {
		f.Buffer = sizes.TensorSize(backend.Dense, shape...)
		f.Copy = 4 * int64(shape[0]) * int64(shape[1])
	}
	for _, v := range s.state() { // of a plan, which has no buffer
		f.Copy += 4 * int64(backend.Len(v))
	}
	return f, true, nil
}

// Affordable refuses a run that there is no memory for, see sysmem.Available, and tells of another whether there
// is room for the copy of its state, too; where the amount isn't known there is. The run is one of so many ranks,
// its memory this rank's.
func Affordable(dev backend.Device, c *config.Config, src feed.Sources, ranks int) (room bool, err error) {
	if c.Device.Name != "cpu" {
		return true, nil
	}
	f, known, err := NewFootprint(dev, *c, src, ranks)
	if err != nil || !known {
		return true, err
	}
	if _, short := sysmem.Short(float64(f.Total() + f.Copy)); !short {
		return true, nil
	}
	have, short := sysmem.Short(float64(f.Total()))
	if !short {
		return false, nil
	}
	path, lower := f.culprit(c, ranks)
	return false, &settings.Error{Faults: []settings.Fault{{Path: path, Problem: fmt.Sprintf(
		"the run needs %s of memory, %s leaves %s: %s", sysmem.Amount(float64(f.Total())), have.By, sysmem.Amount(have.Bytes), lower)}}}
}

// culprit is the setting that takes most of the memory and can be lowered, and how.
func (f Footprint) culprit(c *config.Config, ranks int) (path, lower string) {
	path, most := "model.width", f.Parameters+f.Plans
	if f.Activations > most {
		most = f.Activations
		if 3*c.Train.Batch/ranks > feed.EvalBatch { // else evaluations are what takes them
			path = "train.batch"
		}
	}
	switch own := c.Data.Name == data.Folder; {
	case f.Buffer > most:
		path = "sampler.buffer"
	case path == "model.width" && c.Model.Width == 1 && own && c.Data.Size == 0:
		return "data.size", "set data.size, to which pictures are made smaller"
	case path == "model.width" && c.Model.Width == 1 && own:
		path = "data.size"
	case path == "model.width" && c.Model.Width == 1 && c.Model.Depth > 10:
		path = "model.depth"
	}
	return path, "lower " + path
}
