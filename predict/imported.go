package predict

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"jem/backend"
	"jem/config"
	"jem/feed"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/internal/imagefile"
	"jem/model"
	"jem/predict/weights"
)

// OpenFile loads a network from a file that package weights reads. What the file doesn't say
// (sampler, data set) is as published. Notes are sentences for the user.
func OpenFile(dev backend.Device, path string, o weights.Options, options ...Option) (*Predictor, []string, error) {
	w, notes, err := ReadWeights(path, Usual, o)
	if err != nil {
		return nil, notes, err
	}
	cfg, facts, more, err := imported(w, Origin{})
	if err != nil { // images that no set here has: the names are the file's own, or numbers
		cfg.Data.Name = ""
	}
	p := &Predictor{Config: cfg, Checkpoint: path, Step: w.About.Step, facts: facts, dev: dev}
	p.apply(options)
	return p, append(notes, at(path, more)...), p.load(w)
}

// Origin says what images weights from elsewhere were trained on, where their user knows more than their
// file tells.
type Origin struct {
	Data string // as data.name; "": what the file says, else the published set with such classes and images
	Dir  string // as data.dir
}

// imported is the configuration of weights from elsewhere, as published, with their network and the data
// set that they were trained on, and what is known of its images. The error says that no data set is known;
// the facts are good all the same.
func imported(w *weights.Weights, o Origin) (c config.Config, f feed.Facts, notes []string, err error) {
	c = config.Default()
	sized(w, o.Data)
	n := w.Config
	c.Model.Network, c.Model.Depth, c.Model.Width, c.Model.Norm, c.Model.Slope = n.Kind(), n.Depth, n.Width, n.Norm, n.Slope
	if w.Buffer != nil {
		c.Sampler.Buffer = w.Buffer.Shape[0]
	}
	if slices.Contains(imagefile.Grounds, w.About.Ground) {
		c.Data.Ground = w.About.Ground
	}
	f = feed.Facts{Channels: n.InC, Size: n.Size, Classes: w.About.Classes, Outputs: n.Classes}
	f.Data, notes = dataOf(w, o)
	c.Data.Name, c.Data.Dir, f.Dir = f.Data, o.Dir, o.Dir
	if f.Absolute, err = absolute(o.Dir); err != nil {
		return c, f, notes, err
	}
	switch f.Data {
	case "":
		err = fmt.Errorf("a run has a data set, and none is known that has %s: name it, as in --data fashion-mnist, or the folder of its pictures, --data-dir", images(w))
	case data.Folder:
		own(&c, w)
		err = fitFolder(w, o)
	default:
		if l, known := data.Lookup(f.Data); known == nil && l.Images < 2*c.Data.Valid {
			small(&c)
		}
		err = fitPublished(f.Data, w)
	}
	if len(f.Classes) == 0 {
		f.Classes = classNames(c.Data, n.Classes)
	}
	return c, f, notes, err
}

// dataOf is the name of the data set that weights were trained on; "" if none is known.
func dataOf(w *weights.Weights, o Origin) (name string, notes []string) {
	said := w.About.Data
	switch {
	case o.Data != "":
		return o.Data, nil
	case said != "" && said != data.Folder && fitPublished(said, w) == nil:
		return said, nil
	case o.Dir != "" || said == data.Folder:
		return data.Folder, nil
	}
	for _, name := range []string{"cifar10", "cifar100"} { // those of the official checkpoints
		if len(w.About.Classes) == 0 && fitPublished(name, w) == nil {
			return name, []string{"names neither its data set nor its classes: they are taken to be those of " + name}
		}
	}
	if len(w.About.Classes) > 0 {
		return data.Folder, nil
	}
	return "", nil
}

// sized takes the size of images from the set that they were of, where the file doesn't tell it.
func sized(w *weights.Weights, set string) {
	if l, err := data.Lookup(set); err == nil && w.Guessed {
		if n := &w.Config; n.Network != model.MLP {
			n.Size, w.Guessed = l.Side, false
		} else if l.C*l.Side*l.Side == n.Pixels() {
			n.InC, n.Size, w.Guessed = l.C, l.Side, false
		}
	}
}

// small makes a configuration one that sets of any number of images can be evaluated with.
func small(c *config.Config) {
	c.Data.Valid, c.Data.ValidShare, c.Train.Batch = 0, 0.1, 1
}

// own makes a configuration that of pictures in a folder.
func own(c *config.Config, w *weights.Weights) {
	small(c)
	c.Data.Grey = w.Config.InC == 1
	if c.Data.Size = w.Config.Size; c.Data.Size%8 != 0 {
		c.Data.Size = 0 // such pictures are taken only as they are
	}
}

// fitPublished compares a published set with weights.
func fitPublished(name string, w *weights.Weights) error {
	l, err := data.Lookup(name)
	if err != nil {
		return err
	}
	if n := w.Config; len(l.Classes) != n.Classes || l.C != n.InC || l.Side != n.Size {
		return fmt.Errorf("%s has %d classes of %d×%d images with %d channels, the network is for %s", name, len(l.Classes), l.Side, l.Side, l.C, images(w))
	}
	return nil
}

// fitFolder compares the classes of a folder with those of weights that know none themselves.
func fitFolder(w *weights.Weights, o Origin) error {
	if len(w.About.Classes) > 0 {
		return nil // pictures are labelled by these names, whatever the folder has
	}
	if o.Dir == "" {
		return errors.New("the network's classes have no names: name the folder of its pictures with --data-dir")
	}
	names, err := data.FolderClasses(o.Dir)
	if err == nil && len(names) != w.Config.Classes {
		err = fmt.Errorf("%s has %d classes, the network tells %d apart", fault.Printable(o.Dir), len(names), w.Config.Classes)
	}
	return err
}

// images says in words what a network takes and tells apart.
func images(w *weights.Weights) string {
	n := w.Config
	return fmt.Sprintf("%d classes of %d×%d images with %d channels", n.Classes, n.Size, n.Size, n.InC)
}

func absolute(dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	return filepath.Abs(dir)
}
