package feed

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"jem/backend/philox"
	"jem/config"
	"jem/internal/data"
	"jem/internal/fault"
)

// Source is where the images of a run come from: how its configuration says that they be read, and
// what they were, as far as that is known. All that reads a run's images, to train, to measure or to
// begin chains with, reads them through it.
type Source struct {
	Config config.Config
	Facts  Facts // zero: of a run that begins
	// TakeOthers says that Open goes on with training images that are not those of the facts.
	TakeOthers bool
	// Rank of Ranks is which share of each training batch Open's streams give, as all ranks of a run
	// together take what one would. Zero values: all of it.
	Rank, Ranks int
}

// Read opens one split of the set. Labels number the classes of the facts, by name, whatever images
// of whatever classes are there. Errors: *fault.Error, also for images that the network doesn't take.
// Notes are sentences for the user.
func (s Source) Read(split data.Split) (*data.Set, []string, error) {
	c := s.Config.Data
	o := data.OpenOptions{Dir: c.Dir, Images: c.Pictures(), Classes: s.Facts.Classes}
	if split == data.Train {
		o.Limit = c.Limit
	}
	set, notes, err := data.Open(c.Name, split, o)
	if errors.Is(err, fault.ErrMissing) && c.Dir == "" && s.Facts.Dir == "" && s.Facts.Absolute != "" {
		o.Dir = s.Facts.Absolute // none of the usual places any more
		if again, more, failed := data.Open(c.Name, split, o); !errors.Is(failed, fault.ErrMissing) {
			set, notes, err = again, more, failed
		}
	}
	if err != nil {
		return nil, notes, s.lost(err)
	}
	return set, notes, s.takes(set)
}

// lost tells more of images that are not there.
func (s Source) lost(err error) error {
	dir := s.Config.Data.Dir
	if !errors.Is(err, fault.ErrMissing) || dir == "" || isDir(dir) {
		return err
	}
	reason := "no such folder of images: name it with --data-dir"
	switch f := s.Facts; {
	case f.Dir == dir && f.Absolute != "" && f.Absolute != dir:
		reason = fmt.Sprintf("no such folder of images, and neither is there %s, where they were when the run began: name it with --data-dir", fault.Printable(f.Absolute))
	case s.Config.Data.Name != data.Folder:
		return err // says what files are looked for
	}
	return &fault.Error{Path: dir, Kind: fault.ErrMissing, Reason: reason}
}

// takes compares images with the network that they are for, if that is known. What has passed here can be
// handed to it; there is no other way for a set to become Images.
func (s Source) takes(set *data.Set) error {
	f, reason := s.Facts, ""
	switch {
	case f.Size > 0 && (set.C != f.Channels || set.H != f.Size || set.W != f.Size):
		reason = fmt.Sprintf("%s images of %d×%d pixels (channels: %d), the network takes %d×%d (%d)", set.Split, set.W, set.H, set.C, f.Size, f.Size, f.Channels)
		if s.Config.Data.Name == data.Folder {
			reason += "; resize them, or train with data.size, to which all pictures are resized"
		}
	case len(f.Classes) > 0 && !slices.Equal(set.Classes, f.Classes):
		reason = fmt.Sprintf("%s images of %d classes (%s), the network knows %d (%s)", set.Split, set.K(), fault.Names(set.Classes), len(f.Classes), fault.Names(f.Classes))
	case len(f.Classes) == 0 && f.Outputs > 0 && set.K() != f.Outputs:
		reason = fmt.Sprintf("%s images of %d classes (%s), the network knows %d, whose names it doesn't tell", set.Split, set.K(), fault.Names(set.Classes), f.Outputs)
	default:
		return nil
	}
	return &fault.Error{Path: cmp.Or(place(s.Config.Data.Dir, set), set.Name), Kind: fault.ErrBad, Reason: reason}
}

// Walk walks the images of a set that indices name (nil: all) in order, with pixel noise of the given std.
// The network must take their size; of what classes they are is not asked.
func (s Source) Walk(set *data.Set, indices []int, noise float32) (Images, error) {
	s.Facts.Classes, s.Facts.Outputs = nil, 0
	if err := s.takes(set); err != nil {
		return nil, err
	}
	return data.NewEval(set, indices, EvalBatch, noise, philox.New(s.Config.Seed, 0, philox.EvalNoise))
}
