package feed

import (
	"fmt"
	"path/filepath"
	"strings"

	"jem/backend/philox"
	"jem/config"
	"jem/internal/data"
)

// Outliers are the facts of a run's outliers: what the network has seen without being told what it is.
type Outliers struct {
	Name     string `json:"name"`                    // outliers.name
	Images   int    `json:"images,omitempty"`        // how many; 0: they are made of the training images
	Digest   string `json:"images_sha256,omitempty"` // of them as the network takes them, in one class, see data.Set; "": made
	Absolute string `json:"absolute,omitempty"`      // the folder that they were read from

	Distorted float32 `json:"distorted,omitempty"` // share of them that were shuffled, blurred or mixed
}

// outliers prepares the stream of outliers, if there is to be one. They are cropped and flipped as the training
// images are, made of those that indices name or of another set.
func (d *Feed) outliers(set *data.Set, indices []int, step int) (err error) {
	c := d.cfg.Outliers
	switch {
	case !c.Any():
		return nil
	case !d.cfg.Draws(config.StreamOutliers):
		d.notes = append(d.notes, fmt.Sprintf("outliers.name=%s is not used: nothing that this objective needs begins at outliers", c.Name))
		return nil
	}
	o := d.options(data.Augment{Crop: d.cfg.Data.Crop, Flip: d.cfg.Data.Flip}, philox.OrderOutliers, philox.AugmentOutliers)
	d.Facts.Outliers = &Outliers{Name: c.Name}
	o.Make = philox.New(d.cfg.Seed, 0, philox.MakeOutliers)
	if c.Distorted > 0 {
		o.Distort, o.Plain = data.Distorted, 1-c.Distorted
	}
	if c.Made() {
		o.Distort = data.Distortion(c.Name)
	} else if set, err = d.otherImages(); err != nil {
		return err
	} else {
		indices = nil
	}
	d.Outliers, err = d.stream(set.Unlabelled(), indices, step, o)
	return err
}

// otherImages reads the images of another set, and compares them with those that the run began with.
func (d *Feed) otherImages() (*data.Set, error) {
	s := d.from
	s.Facts.Outliers = d.began.Outliers
	set, notes, err := s.readOutliers()
	d.notes = append(d.notes, notes...)
	if err != nil {
		return nil, fmt.Errorf("outliers: %w", err)
	}
	now := Outliers{Name: d.cfg.Outliers.Name, Distorted: d.cfg.Outliers.Distorted, Images: set.Len(), Digest: set.Digest(), Absolute: place(folderOf(set), set)}
	d.Facts.Outliers = &now
	if then := d.began.Outliers; then != nil && then.Digest != "" && then.Digest != now.Digest {
		changed := fmt.Sprintf("%d outliers, now there are %d, of which not all are the same", then.Images, now.Images)
		if !d.from.TakeOthers {
			return nil, unfit("outliers.dir", fmt.Errorf("the run began with other images (%s): put them back, or add --allow-changes if that is meant", changed))
		}
		d.Changed = strings.TrimPrefix(d.Changed+", "+changed, ", ")
	}
	return set, nil
}

// folderOf is the folder of pictures that a set of outliers was read from; "" of published files, whose folder is
// that of the files.
func folderOf(set *data.Set) string {
	if set.Name == data.Folder {
		return set.Sources[0].Path
	}
	return ""
}

// readOutliers reads the images of another set without their labels, as the network takes them.
func (s Source) readOutliers() (*data.Set, []string, error) {
	c, o := s.Config.Outliers, s.Config.Data.Pictures()
	o.Size, o.Grey = s.Facts.Size, s.Facts.Channels == 1
	if then := s.Facts.Outliers; then != nil && c.Dir != "" && !isDir(c.Dir) && isDir(then.Absolute) {
		c.Dir = then.Absolute // the working folder is another one
	}
	set, notes, err := s.openOutliers(c, o)
	if err != nil {
		return nil, notes, err
	}
	return data.Fit(set, s.Facts.Channels, s.Facts.Size).Unlabelled(), notes, nil
}

// openOutliers reads them as they are; where a folder is named, a published set from there alone.
func (s Source) openOutliers(c config.Outliers, o data.FolderOptions) (*data.Set, []string, error) {
	switch {
	case c.Name == data.Folder:
		return data.OpenFolder(c.Dir, o)
	case c.Dir == "":
		return s.Other(c.Name, data.Train, o)
	case data.IsPictures(c.Name):
		s.Config.Data.Dir = c.Dir
		return s.Other(c.Name, data.Train, o)
	}
	return data.Open(c.Name, data.Train, data.OpenOptions{Dir: c.Dir})
}

// Seen reports whether the network has seen a set's images, by name, content or place, as outliers, and so
// has been taught that they are none of its own: telling them from its own is then no test. A set that is read
// from a folder may have any name, one that is not read is nil.
func (f Facts) Seen(name string, set *data.Set) bool {
	o := f.Outliers
	switch {
	case o == nil:
		return false
	case name == o.Name && name != data.Folder, name == "interp" && (o.Name == string(data.Mixed) || o.Name == string(data.Distorted) || o.Distorted > 0):
		return true
	case set == nil || o.Digest == "":
		return false
	case set.Name == data.Folder && len(set.Sources) > 0 && o.Absolute != "":
		path, err := filepath.Abs(set.Sources[0].Path)
		if err == nil && (below(path, o.Absolute) || below(o.Absolute, path)) {
			return true
		}
	}
	return set.Unlabelled().Digest() == o.Digest
}

// below reports whether a path is a folder or lies in it.
func below(path, dir string) bool {
	inside, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(inside)
}
