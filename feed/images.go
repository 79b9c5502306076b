package feed

import (
	"fmt"

	"jem/config"
	"jem/internal/data"
	"jem/internal/fault"
)

// Splits are the sets of images that OpenImages knows.
var Splits = []string{"test", "valid", "train"}

// OpenImages reads one set of a run's images for evaluation: test, valid (those that the
// run held out) or train (the others), without augmentation, with pixel noise of the
// given std. Notes are sentences for the user.
func OpenImages(c config.Config, split string, noise float32) (Images, []string, error) {
	published := data.Train
	if split == "test" {
		published = data.Test
	}
	set, notes, err := Read(&c, published)
	if err != nil {
		return nil, notes, err
	}
	var indices []int
	if split != "test" {
		rest, held, err := holdout(&c, set)
		if err != nil {
			return nil, notes, err
		}
		if indices = rest; split == "valid" {
			indices = held
		}
		if len(indices) == 0 {
			return nil, notes, &fault.Error{Path: c.Data.Dir, Kind: fault.ErrMissing, Reason: fmt.Sprintf("this run has no %s images", split)}
		}
	}
	images, err := Eval(&c, set, indices, noise)
	return images, notes, err
}
