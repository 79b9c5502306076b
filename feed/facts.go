package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"jem/config"
	"jem/internal/data"
	"jem/internal/durable"
	"jem/internal/fault"
)

// Facts are what a network depends on, of the images that it was trained on. A run keeps them
// beside its configuration, which says how images are to be read and not what they were.
type Facts struct {
	Data     string   `json:"data"`     // data.name
	Classes  []string `json:"classes"`  // names, in the order of the network's outputs; none: not known
	Outputs  int      `json:"-"`        // how many there are, where the names aren't known; 0: that neither
	Channels int      `json:"channels"` // of an image, C
	Size     int      `json:"size"`     // pixels a side, H = W

	// ValidFolder says that validation images had a folder of their own, so that none were held out.
	ValidFolder bool `json:"valid_folder,omitempty"`

	Images int    `json:"images,omitempty"`        // training images, those held out included; 0: not known
	Digest string `json:"images_sha256,omitempty"` // of these, see data.Set; "": not known

	// Evaluated are the digests of the sets that the run is evaluated on, but for images held out, by split.
	Evaluated map[data.Split]string `json:"evaluated_sha256,omitempty"`

	Outliers *Outliers `json:"outliers,omitempty"` // what negatives may have started at; nil: no other images

	Dir      string `json:"dir,omitempty"`      // data.dir as it was typed
	Absolute string `json:"absolute,omitempty"` // the folder that they were read from
}

// factsOf are those of training images that a configuration names.
func factsOf(c *config.Config, set *data.Set) Facts {
	return Facts{
		Data: c.Data.Name, Classes: set.Classes, Channels: set.C, Size: set.H,
		Images: set.Len(), Digest: set.Digest(),
		Dir: c.Data.Dir, Absolute: place(c.Data.Dir, set),
	}
}

// place is the folder that a set was read from: the one named, or else the one found; "" of a set that the
// program draws, whatever was named.
func place(named string, set *data.Set) string {
	if len(set.Sources) == 0 || set.Sources[0].Path == "" {
		return ""
	}
	if named == "" {
		named = filepath.Dir(set.Sources[0].Path)
	}
	whole, err := filepath.Abs(named)
	if err != nil {
		return "" // the working folder is gone: there is nothing to add to what was typed
	}
	return whole
}

// Document is how a run keeps the facts.
func (f Facts) Document() ([]byte, error) {
	b, err := json.MarshalIndent(f, "", "  ")
	return append(b, '\n'), err
}

// changed says in what the training images of now are not those of the facts; "": in nothing, or it isn't
// known what they were.
func (f Facts) changed(now Facts) string {
	switch {
	case f.Digest == "":
		return ""
	case f.ValidFolder && !now.ValidFolder:
		return "without its folder of validation images others are trained on"
	case !f.ValidFolder && now.ValidFolder:
		return "with a folder of validation images others are trained on"
	case f.Digest == now.Digest:
		return ""
	case f.Images == now.Images:
		return fmt.Sprintf("%d to train on, of which not all are the same now", f.Images)
	}
	return fmt.Sprintf("%d to train on, now there are %d", f.Images, now.Images)
}

// evaluated keeps the digest of a set that the run is evaluated on.
func (f *Facts) evaluated(split data.Split, set *data.Set) {
	if f.Evaluated == nil {
		f.Evaluated = map[data.Split]string{}
	}
	f.Evaluated[split] = set.Digest()
}

// Evaluations says which sets that a run is evaluated on are not those that it began with: no reason not to
// go on, since it doesn't learn from them.
func (f Facts) Evaluations(now Facts) (notes []string) {
	for _, split := range []data.Split{data.Valid, data.Test} {
		if then := f.Evaluated[split]; then != "" && then != now.Evaluated[split] {
			notes = append(notes, fmt.Sprintf("the %s images are not those that the run began with: its evaluations from here on don't compare with the earlier ones", split))
		}
	}
	return notes
}

// Names are the classes' names, or where they aren't known their numbers.
func (f Facts) Names() []string {
	if len(f.Classes) > 0 {
		return f.Classes
	}
	names := make([]string, f.Outputs)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// maxFacts bounds the file: 10,000 classes with the longest names of files.
const maxFacts = 16 << 20

// ReadFacts reads what Document wrote; nil where there is no such file, as in runs from before it
// was kept. Any other trouble is a *fault.Error.
func ReadFacts(path string) (*Facts, error) {
	b, err := durable.ReadFile(path, maxFacts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var f Facts
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, damaged(path, err)
	}
	if f.Channels != 1 && f.Channels != 3 || f.Size < 1 || f.Size > data.MaxSide {
		return nil, damaged(path, fmt.Errorf("images of %d channels and %d pixels a side", f.Channels, f.Size))
	}
	return &f, nil
}

func damaged(path string, err error) error {
	return &fault.Error{Path: path, Kind: fault.ErrBad,
		Reason: fault.Sprintf("does not say what images the run was trained on; without this file the run can be used, but nothing compared: %v", err)}
}

// Locate is the folder to read a run's images from, where its configuration names dir: that in which
// they were when it began, if it is still there, so that a run can be used from any working folder.
// Whoever names another means that one. Notes are sentences for the user.
func (f Facts) Locate(dir string) (string, []string) {
	if dir == "" || dir != f.Dir || f.Absolute == "" || !isDir(f.Absolute) {
		return dir, nil
	}
	var notes []string
	here, err := filepath.Abs(dir)
	if err == nil && here == f.Absolute {
		return dir, nil
	}
	if err == nil && isDir(here) {
		notes = append(notes, fmt.Sprintf("%s: images are read from %s, where they were when the run began; --data-dir names another folder", fault.Printable(dir), fault.Printable(f.Absolute)))
	}
	return f.Absolute, notes
}

// elsewhere reports whether images are read from another folder than when the run began.
func (s Source) elsewhere() bool {
	dir := s.Config.Data.Dir
	here, err := filepath.Abs(dir)
	return s.Facts.Absolute != "" && dir != "" && err == nil && here != s.Facts.Absolute
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
