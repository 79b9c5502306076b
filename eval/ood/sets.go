package ood

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"

	"golang.org/x/image/draw"

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
// are resized. o.Limit > 0 keeps only the first so many images, of a folder so
// many of all its sub-folders alike. Notes are sentences for the user.
func Open(p *predict.Predictor, name string, o Options) (feed.Images, []string, error) {
	switch name {
	case "interp":
		own, _, err := p.Source().Choose(o.Split) // who has opened them for themselves knows the notes
		if err != nil {
			return nil, nil, err
		}
		images, err := interpolation(p, own, o)
		return images, nil, err
	case "uniform", "gaussian":
		return noiseImages(p, name, o.Limit), nil, nil
	}
	set, notes, err := read(p, name)
	if err != nil {
		return nil, notes, err
	}
	if set.Len() == 0 {
		return nil, notes, &fault.Error{Path: name, Kind: fault.ErrMissing, Reason: "no images"}
	}
	few := set.Head
	if strings.HasPrefix(name, ownFolder) {
		few = set.Limit
	}
	c := p.Net().Config
	images, err := p.Source().Walk(fitted(few(o.Limit), c.InC, c.Size), nil, o.Noise)
	return images, notes, err
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
	if data.IsPictures(name) {
		path, err := data.Pictures(name, p.Config.Data.Dir)
		if err != nil {
			return nil, nil, err
		}
		return data.OpenFolder(path, o)
	}
	set, notes, err := data.Open(name, data.Test, data.OpenOptions{Dir: p.Config.Data.Dir})
	if p.Config.Data.Dir != "" && errors.Is(err, fault.ErrMissing) { // the run's folder may hold its own set only
		elsewhere, more, failed := data.Open(name, data.Test, data.OpenOptions{})
		if failed == nil || p.Config.Data.Name == data.Folder { // which isn't the place to put others into
			return elsewhere, more, failed
		}
	}
	return set, notes, err
}

// fitted returns a set with the given channels and side. Grey becomes colour by repetition,
// colour grey by luma; images are cut to their central square and resized bilinearly.
func fitted(set *data.Set, channels, side int) *data.Set {
	if set.C == channels && set.H == side && set.W == side {
		return set
	}
	out := *set
	out.C, out.H, out.W, out.Pixels = channels, side, side, make([]uint8, 0, set.Len()*channels*side*side)
	for i := range set.Len() {
		img := asImage(set, i)
		scaled := image.NewRGBA(image.Rect(0, 0, side, side))
		edge := min(set.H, set.W)
		corner := image.Pt((set.W-edge)/2, (set.H-edge)/2)
		draw.BiLinear.Scale(scaled, scaled.Bounds(), img, image.Rectangle{Min: corner, Max: corner.Add(image.Pt(edge, edge))}, draw.Src, nil)
		for c := range channels {
			for j := 0; j < len(scaled.Pix); j += 4 {
				v := scaled.Pix[j+c]
				if channels == 1 {
					v = color.GrayModel.Convert(color.RGBA{scaled.Pix[j], scaled.Pix[j+1], scaled.Pix[j+2], 255}).(color.Gray).Y
				}
				out.Pixels = append(out.Pixels, v)
			}
		}
	}
	return &out
}

// asImage is image i of a set.
func asImage(set *data.Set, i int) image.Image {
	img, pixels, plane := image.NewRGBA(image.Rect(0, 0, set.W, set.H)), set.Image(i), set.H*set.W
	for j := range plane {
		for c := range 3 {
			img.Pix[4*j+c] = pixels[c%set.C*plane+j]
		}
		img.Pix[4*j+3] = 255
	}
	return img
}
