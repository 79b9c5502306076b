package feed

import (
	"errors"
	"fmt"

	"jem/internal/data"
	"jem/internal/fault"
)

// Splits are the sets of images that Choose knows.
var Splits = []string{"test", "valid", "train"}

// Chosen is one of a run's sets of images, as it was read.
type Chosen struct {
	Split   string    // of Splits
	Set     *data.Set // that it is part of
	Indices []int     // its images in the set
}

// Choose reads one set of a run's images for evaluation: test, valid (those that the run held out) or
// train (the others). The empty split is test, or valid with a note where the data have no test images.
// Notes are sentences for the user.
func (s Source) Choose(split string) (Chosen, []string, error) {
	switch split {
	case "":
		return s.chooseTest()
	case "test":
		return s.whole(split, data.Test)
	case "valid":
		if s.hasValid() {
			return s.whole(split, data.Valid)
		}
	}
	set, notes, err := s.Read(data.Train)
	if err != nil {
		return Chosen{}, notes, err
	}
	c, err := s.divide(split, set)
	return c, append(notes, s.others(set)...), err
}

// others says that images are not those that the run began with, so that nobody knows which of them it has
// been trained on.
func (s Source) others(set *data.Set) []string {
	if s.Facts.Digest == "" || s.Facts.Digest == set.Digest() {
		return nil
	}
	return []string{"the training images are not those that the run began with: which it was trained on, and which were held out, isn't known"}
}

// whole chooses a published split, or a folder of a split, with all its images.
func (s Source) whole(split string, from data.Split) (Chosen, []string, error) {
	set, notes, err := s.Read(from)
	if err != nil {
		return Chosen{}, notes, err
	}
	indices := all(set)
	if set.Name == data.Folder { // sorted by class: a limit would be one to the first classes
		indices = data.Evenly(set, indices)
	}
	return Chosen{split, set, indices}, notes, nil
}

// divide chooses, from the training images, those held out or the others.
func (s Source) divide(split string, set *data.Set) (Chosen, error) {
	indices, held, err := s.holdout(set)
	if err != nil {
		return Chosen{}, err
	}
	if split == "valid" {
		indices = held
	}
	if len(indices) == 0 {
		return Chosen{}, &fault.Error{Path: s.Config.Data.Dir, Kind: fault.ErrMissing, Reason: fmt.Sprintf("this run has no %s images", split)}
	}
	return Chosen{split, set, indices}, nil
}

// chooseTest chooses the test images, or those held out where there are none.
func (s Source) chooseTest() (Chosen, []string, error) {
	test, notes, missing := s.Choose("test")
	if !errors.Is(missing, fault.ErrMissing) {
		return test, notes, missing
	}
	if s.hasValid() {
		valid, notes, err := s.Choose("valid")
		if errors.Is(err, fault.ErrMissing) {
			err = missing
		}
		return valid, append(notes, fmt.Sprintf("no test images (%v): measured on the validation images (--split valid)", missing)), err
	}
	set, notes, err := s.Read(data.Train)
	if errors.Is(err, fault.ErrMissing) {
		return Chosen{}, notes, missing
	} else if err != nil {
		return Chosen{}, notes, err
	}
	notes = append(notes, s.others(set)...)
	valid, err := s.divide("valid", set)
	if errors.Is(err, fault.ErrMissing) {
		return valid, notes, fmt.Errorf("%w, and the run held out none (--split train: those trained on)", missing)
	}
	return valid, append(notes, fmt.Sprintf("no test images (%v): measured on the %d that the run held out (--split valid)", missing, len(valid.Indices))), err
}

// Part is a set of images with the name of the split that it is.
type Part struct {
	Images
	Split string
}

// Images chooses a set, see Choose, to be walked without augmentation, with pixel noise of the given std.
func (s Source) Images(split string, noise float32) (Part, []string, error) {
	c, notes, err := s.Choose(split)
	if err != nil {
		return Part{}, notes, err
	}
	images, err := s.Walk(c.Set, c.Indices, noise)
	return Part{images, c.Split}, notes, err
}

func all(set *data.Set) []int {
	indices := make([]int, set.Len())
	for i := range indices {
		indices[i] = i
	}
	return indices
}
