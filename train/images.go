package train

import (
	"fmt"

	"jem/internal/data"
	"jem/internal/philox"
)

// Splits are the sets of images that OpenImages knows.
var Splits = []string{"test", "valid", "train"}

// OpenImages reads one set of a run's images for evaluation: test, valid (those that the
// run held out) or train (the others), without augmentation, with the noise that the
// configuration adds at evaluation. Notes are sentences for the user.
func OpenImages(c Config, split string) (Images, []string, error) {
	noise := float32(0)
	if c.Data.EvalNoise {
		noise = c.Data.Noise
	}
	published, o := data.Train, data.OpenOptions{Dir: c.Data.Dir, Limit: c.Data.Limit}
	if split == "test" {
		published, o.Limit = data.Test, 0
	}
	set, notes, err := data.Open(c.Data.Name, published, o)
	if err != nil {
		return nil, notes, err
	}
	var indices []int
	if split != "test" {
		rest, held, err := data.Holdout(set.Len(), c.Data.Valid, philox.New(c.Seed, 0, philox.Split))
		if err != nil {
			return nil, notes, fmt.Errorf("data.valid: %w", err)
		}
		if indices = rest; split == "valid" {
			indices = held
		}
		if len(indices) == 0 {
			return nil, notes, fmt.Errorf("this run has no %s images", split)
		}
	}
	images, err := c.evalImages(set, indices, noise)
	return images, notes, err
}
