package ood

import (
	"fmt"
	"strings"

	"jem/feed"
	"jem/internal/data"
	"jem/internal/fault"
	"jem/predict"
)

// Open opens a set of images from another distribution, as the network of p takes them,
// with pixel noise of the given std. Names are
//
//	interp            means of two in-distribution images (o.Split), see interpolated
//	uniform, gaussian noise, see noiseImages
//	folder:PATH       pictures, cut to their central square and resized
//	textures, …       pictures of a published set in a folder of the usual name, see data.Pictures
//	svhn, …           the test split of a published set, from the run's folder of data sets or
//	                  the usual places
//
// Grey images are repeated for three channels, colours become grey for one, and other sizes
// are resized. o.Limit > 0 keeps only the first so many images, of pictures so
// many of all their sub-folders alike. Notes are sentences for the user.
func Open(p *predict.Predictor, name string, o Options) (Opened, []string, error) {
	switch name {
	case "interp":
		own, _, err := p.Source().Choose(o.Split) // who has opened them for themselves knows the notes
		if err != nil {
			return Opened{}, nil, err
		}
		images, err := interpolation(p, own, o)
		return Opened{images, p.Source().Facts.Seen(name, nil)}, nil, err
	case "uniform", "gaussian":
		return Opened{noiseImages(p, name, o.Limit), false}, nil, nil
	}
	set, notes, err := read(p, name)
	if err != nil {
		return Opened{}, notes, err
	}
	if set.Len() == 0 {
		return Opened{}, notes, &fault.Error{Path: name, Kind: fault.ErrMissing, Reason: "no images"}
	}
	few := set.Head
	if set.Name == data.Folder { // sorted by class
		few = set.Limit
	}
	c := p.Net().Config
	images, err := p.Source().Walk(data.Fit(few(o.Limit), c.InC, c.Size), nil, o.Noise)
	return Opened{images, p.Source().Facts.Seen(name, set)}, notes, err
}

// Opened are a set's images, and whether the network was trained to tell such from its own, see feed.Facts.Seen:
// then that it does is no sign that it knows what it has never seen.
type Opened struct {
	feed.Images
	Seen bool
}

// ownFolder begins the name of a folder of pictures.
const ownFolder = "folder:"

func read(p *predict.Predictor, name string) (*data.Set, []string, error) {
	c := p.Net().Config
	o := p.Config.Data.Pictures()
	o.Size, o.Grey = c.Size, c.InC == 1
	if path, ok := strings.CutPrefix(name, ownFolder); ok {
		return data.OpenFolder(path, o)
	}
	if name == p.Config.Data.Name {
		return nil, nil, &fault.Error{Kind: fault.ErrBad, Reason: fmt.Sprintf("%s is the run's own data set, not another distribution", name)}
	}
	return p.Source().Other(name, data.Test, o)
}
