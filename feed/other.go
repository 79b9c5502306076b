package feed

import (
	"errors"

	"jem/internal/data"
	"jem/internal/fault"
)

// Other reads a set that is not the run's: pictures of one that comes as such, as o says, or a split of a published
// set in its own size. It is looked for in the run's folder of data sets, then in the usual places. Errors and notes
// are as those of Read.
func (s Source) Other(name string, split data.Split, o data.FolderOptions) (*data.Set, []string, error) {
	c := s.Config.Data
	if data.IsPictures(name) {
		path, err := data.Pictures(name, c.Dir)
		if err != nil {
			return nil, nil, err
		}
		return data.OpenFolder(path, o)
	}
	set, notes, err := data.Open(name, split, data.OpenOptions{Dir: c.Dir})
	if c.Dir != "" && errors.Is(err, fault.ErrMissing) { // the run's folder may hold its own set only
		elsewhere, more, failed := data.Open(name, split, data.OpenOptions{})
		if failed == nil || c.Name == data.Folder { // which isn't the place to put others into
			return elsewhere, more, failed
		}
	}
	return set, notes, err
}
