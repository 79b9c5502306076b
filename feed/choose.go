package feed

import (
	"errors"
	"fmt"

	"jem/internal/data"
	"jem/internal/fault"
)

// Splits are the sets of images that Choose knows.
var Splits = []string{"test", "valid", "train", "all"}

// Chosen is one of a run's sets of images, as it was read.
type Chosen struct {
	Split   string    // of Splits
	Set     *data.Set // that it is part of
	Indices []int     // its images in the set
}

// Choose reads one set of a run's images for evaluation: test, valid (those of a folder of their own, or
// that the run held out), train (the others), or all of the training images. The empty split is test; where
// the data have no test images, valid, or all of a folder that isn't the run's, with a note. Notes are
// sentences for the user.
func (s Source) Choose(split string) (Chosen, []string, error) {
	switch split {
	case "":
		return s.chooseTest()
	case "test":
		return s.whole(split, data.Test)
	case "all":
		return s.whole(split, data.Train)
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
	return Chosen{split, set, inOrder(set)}, notes, nil
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
		return Chosen{}, noneError{&fault.Error{Path: s.Config.Data.Dir, Kind: fault.ErrMissing, Reason: fmt.Sprintf("this run has no %s images", split)}}
	}
	return Chosen{split, set, indices}, nil
}

// noneError says that there are training images, but none of the split.
type noneError struct{ error }

func (e noneError) Unwrap() error { return e.error }

// chooseTest chooses the test images, or what there is in their place.
func (s Source) chooseTest() (Chosen, []string, error) {
	test, notes, missing := s.Choose("test")
	if !errors.Is(missing, fault.ErrMissing) {
		return test, notes, missing
	}
	instead, notes, err := s.instead()
	switch none := (noneError{}); {
	case errors.As(err, &none):
		return instead, notes, fmt.Errorf("%w, and the run held out none (--split train: those trained on)", missing)
	case errors.Is(err, fault.ErrMissing):
		return instead, notes, missing
	case err != nil:
		return instead, notes, err
	}
	what := map[string]string{"valid": "validation images", "all": "images there, which are not those that the run began with"}[instead.Split]
	return instead, append(notes, fmt.Sprintf("no test images (%v): measured on the %d %s (--split %s)", missing, len(instead.Indices), what, instead.Split)), nil
}

// instead chooses the validation images, or all images of a folder that isn't the run's: nobody has held
// out any of them.
func (s Source) instead() (Chosen, []string, error) {
	if s.elsewhere() {
		all, notes, err := s.Choose("all")
		if err != nil || all.Set.Digest() != s.Facts.Digest {
			return all, notes, err
		}
	}
	return s.Choose("valid")
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

// inOrder are all images of a set in the order in which they are walked: any beginning of it is a fair choice.
func inOrder(set *data.Set) []int {
	indices := make([]int, set.Len())
	for i := range indices {
		indices[i] = i
	}
	if set.Name == data.Folder { // sorted by class: a limit would be one to the first classes
		indices = data.Evenly(set, indices)
	}
	return indices
}
