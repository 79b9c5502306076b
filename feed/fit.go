package feed

import (
	"fmt"

	"jem/backend/philox"
	"jem/config"
	"jem/config/settings"
	"jem/internal/data"
	"jem/internal/fault"
)

// fits checks what Validate can't know before the images were read: settings against their
// number, size and classes.
func fits(c *config.Config, set *data.Set) error {
	if set.H != set.W {
		reason := fmt.Sprintf("images of %d×%d pixels, the network takes squares", set.W, set.H)
		if c.Data.Name == data.Folder {
			reason += ": set data.size to have them cut and resized"
		}
		return &fault.Error{Path: c.Data.Dir, Kind: fault.ErrBad, Reason: reason}
	}
	if set.K() < 2 {
		return &fault.Error{Path: c.Data.Dir, Kind: fault.ErrBad, Reason: fmt.Sprintf("%d class: a classifier needs 2 or more, one sub-folder each", set.K())}
	}
	return c.CheckImages(set.Len(), set.K(), set.H)
}

// holdout returns the indices to train on and those held out.
func (s Source) holdout(set *data.Set) (split, held []int, err error) {
	c := &s.Config
	n, key := c.Data.Held(set.Len()), philox.New(c.Seed, 0, philox.Split)
	if s.hasValid() {
		n = 0
	}
	if byClass(c) {
		split, held, err = data.HoldoutByClass(set, n, key)
	} else {
		split, held, err = data.Holdout(set.Len(), n, key)
	}
	if err != nil && c.Data.ValidShare > 0 {
		err = unfit("data.valid_share", err)
	} else if err != nil {
		err = unfit("data.valid", err)
	}
	return split, held, err
}

// byClass holds for pictures of one's own in runs that take from all classes alike what others
// take from the whole.
func byClass(c *config.Config) bool { return c.Data.Name == data.Folder && c.Data.ByClass }

// hasValid reports whether validation images have a folder of their own, so that none are held
// out of the training images: when the run began, or now where that isn't known or the images are
// read from another folder than then.
func (s Source) hasValid() bool {
	if s.Facts.Digest != "" && !s.elsewhere() {
		return s.Facts.ValidFolder
	}
	return byClass(&s.Config) && data.HasFolder(s.Config.Data.Dir, data.Valid)
}

// unfit is a setting that doesn't fit the images.
func unfit(path string, err error) error {
	return &settings.Error{Faults: []settings.Fault{{Path: path, Problem: err.Error()}}}
}
