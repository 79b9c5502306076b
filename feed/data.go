package feed

import (
	"errors"
	"fmt"

	"jem/backend/philox"
	"jem/config"
	"jem/internal/data"
	"jem/internal/fault"
)

// ahead is how many batches a stream may be computed ahead of the training step.
const ahead = 2

// Open reads a run's images and prepares its streams, starting at the given step. Notes are sentences
// for the user. The feed must be closed.
func (s Source) Open(step int) (*Feed, []string, error) {
	d := &Feed{from: s, cfg: s.Config}
	if err := d.open(step); err != nil {
		d.Close()
		return nil, d.notes, err
	}
	return d, d.notes, nil
}

// Feed are the sources of a run that reads images from files.
type Feed struct {
	Sources
	Facts   Facts  // of the training images, as they are now
	Changed string // in what they are not those of the source's facts; "": in nothing, or it isn't known
	from    Source // with these facts, once they are known
	began   Facts  // those of the source
	cfg     config.Config
	notes   []string
	streams []*stream
}

// Close ends the background work.
func (d *Feed) Close() {
	for _, s := range d.streams {
		s.close()
	}
}

func (d *Feed) open(step int) error {
	c := d.cfg
	set, err := d.read(data.Train)
	if err != nil {
		return err
	}
	d.Classes, d.Channels, d.Size = set.Classes, set.C, set.H
	hasValid := d.from.hasValid()
	if hasValid {
		c.Data.Valid, c.Data.ValidShare = 0, 0
	}
	if err := fits(&c, set); err != nil {
		return err
	}
	d.Facts = factsOf(&c, set)
	d.Facts.ValidFolder = hasValid
	if d.Changed = d.from.Facts.changed(d.Facts); d.Changed != "" && !d.from.TakeOthers {
		return unfit("data.dir", fmt.Errorf("the run began with other images (%s): put them back, or add --allow-changes if that is meant", d.Changed))
	}
	d.began, d.from.Facts = d.from.Facts, d.Facts // all other images must be such
	split, held, err := d.from.holdout(set)
	if err != nil {
		return err
	}
	if err := d.evaluation(set, held); err != nil {
		return err
	}
	if err := d.training(set, split, step); err != nil {
		return err
	}
	if err := d.outliers(set, split, step); err != nil {
		return err
	}
	if d.Start, err = start(&c, set, split); err != nil {
		return err
	}
	switch {
	case c.Sampler.Start == "gaussian":
		d.Gaussian = d.Start
	case c.FromGaussians():
		d.Gaussian, err = gaussian(&c, set, split, "dream.gaussians")
	}
	return err
}

// read opens one split of the configured set.
func (d *Feed) read(split data.Split) (*data.Set, error) {
	set, notes, err := d.from.Read(split)
	d.notes = append(d.notes, notes...)
	if err == nil && split != data.Train {
		d.Facts.evaluated(split, set)
	}
	return set, err
}

// evaluation prepares the validation and test images; a missing set is only noted.
func (d *Feed) evaluation(set *data.Set, held []int) error {
	d.EvalNoise = d.cfg.Data.EvaluationNoise()
	valid, err := d.validation(set, held)
	if err != nil {
		return err
	}
	d.Valid = valid
	test, err := d.read(data.Test)
	if errors.Is(err, fault.ErrMissing) {
		d.notes = append(d.notes, "no test set: "+err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	images, err := d.from.Walk(test, inOrder(test), d.EvalNoise)
	d.Test = images
	return err
}

// validation are the images of a folder of their own, or those held out; nil: none.
func (d *Feed) validation(set *data.Set, held []int) (Images, error) {
	if d.Facts.ValidFolder {
		return d.validFolder()
	}
	if c := d.cfg.Data; c.Name == data.Folder && data.HasFolder(c.Dir, data.Valid) {
		d.notes = append(d.notes, c.Dir+": its folder of validation images is not used, as when the run began")
	}
	if len(held) == 0 {
		return nil, nil
	}
	return d.from.Walk(set, held, d.EvalNoise)
}

func (d *Feed) validFolder() (Images, error) {
	set, err := d.read(data.Valid)
	if errors.Is(err, fault.ErrMissing) {
		d.notes = append(d.notes, "no validation set: "+err.Error())
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	d.notes = append(d.notes, d.insteadOfHeld(set))
	return d.from.Walk(set, inOrder(set), d.EvalNoise)
}

// insteadOfHeld says that validation images have a folder of their own.
func (d *Feed) insteadOfHeld(set *data.Set) string {
	note := fmt.Sprintf("%s: %d validation images; none are held out of the training images", set.Sources[0].Path, set.Len())
	switch c := d.cfg.Data; {
	case c.ValidShare > 0:
		note += fmt.Sprintf(" (data.valid_share=%g is not used)", c.ValidShare)
	case c.Valid > 0:
		note += fmt.Sprintf(" (data.valid=%d is not used)", c.Valid)
	}
	return note
}

// training prepares the two streams: x⁺ of log p(x) over all training images, and labelled
// ones, which labels_per_class may restrict.
func (d *Feed) training(set *data.Set, split []int, step int) error {
	c := d.cfg
	augment := data.Augment{Crop: c.Data.Crop, Flip: c.Data.Flip, Noise: c.Data.Noise}
	labeled, err := data.PerClass(set, split, c.Data.LabelsPerClass)
	if err != nil {
		return unfit("data.labels_per_class", err)
	}
	if none := data.Without(set, labeled); len(none) > 0 {
		d.notes = append(d.notes, fmt.Sprintf("no image to train on is of %d of the %d classes, which the network can't learn: %s (data.limit and held-out images leave none)", len(none), set.K(), fault.Names(none)))
	}
	o := d.options(augment, philox.OrderPYX, philox.AugmentPYX)
	o.Batch, o.Augment.Strong, o.Strong = d.share(c.Train.Labeled()), data.Strong(c.Data.Strong), philox.New(c.Seed, 0, philox.StrongPYX)
	if d.Labeled, err = d.stream(set, labeled, step, o); err != nil {
		return err
	}
	if c.Data.SharedStream || !c.Draws(config.StreamData) {
		return nil
	}
	if c.Data.CleanPX {
		augment = data.Augment{}
	}
	d.PX, err = d.stream(set, split, step, d.options(augment, philox.OrderPX, philox.AugmentPX))
	return err
}

// options are those of a stream of train.batch images, of which each rank takes its share.
func (d *Feed) options(a data.Augment, order, noise philox.Purpose) data.LoaderOptions {
	return data.LoaderOptions{
		Batch: d.share(d.cfg.Train.Batch), Augment: a,
		Order: philox.New(d.cfg.Seed, 0, order), Noise: philox.New(d.cfg.Seed, 0, noise),
		Rank: d.from.Rank, Ranks: d.from.Ranks,
	}
}

// share is how many of a batch's images are this rank's.
func (d *Feed) share(batch int) int { return batch / max(1, d.from.Ranks) }

func (d *Feed) stream(set *data.Set, indices []int, step int, o data.LoaderOptions) (Stream, error) {
	l, err := data.NewLoader(set, indices, o)
	if err != nil {
		return nil, err
	}
	s := &stream{loader: l, epoch: max(1, l.Len()/d.cfg.Train.Labeled())}
	s.restart(step)
	d.streams = append(d.streams, s)
	return s, nil
}

// stream is a loader that computes ahead of the trainer.
type stream struct {
	loader *data.Loader
	epoch  int // steps in which the labelled batch takes as many images as the stream has
	ahead  *data.Stream
	next   int
}

// Batch implements Stream. Steps in order come from the background; any other step starts it
// anew there.
func (s *stream) Batch(step int) ([]float32, []int32, error) {
	if step != s.next {
		s.restart(step)
	}
	s.next++
	b := s.ahead.Next()
	return b.Pixels, b.Labels, nil
}

// StepsPerEpoch implements Stream.
func (s *stream) StepsPerEpoch() int { return s.epoch }

func (s *stream) restart(step int) {
	s.close()
	s.ahead, s.next = data.Prefetch(s.loader, step, ahead), step
}

func (s *stream) close() {
	if s.ahead != nil {
		s.ahead.Close()
	}
}
