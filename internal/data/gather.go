package data

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io/fs"
	"strings"

	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/imagefile"
)

// maxFolderBytes bounds a set of pictures, as uint8: it keeps a wrong folder from eating the memory.
const maxFolderBytes = 8 << 30

// maxNamed is how many pictures that can't be read are named in one message.
const maxNamed = 10

// Unreadable lists pictures that can't be read, among others that can. It is each of theirs by errors.Is.
type Unreadable struct {
	Count, Of int     // of so many
	First     []error // what is wrong with the first ones, each with the file's name
	Remedy    string
}

// Error is one sentence on a single one, else the first ones, each on a line.
func (u *Unreadable) Error() string {
	switch {
	case u.Of == 1:
		return u.First[0].Error()
	case u.Count == 1:
		return fmt.Sprintf("%v (1 of %d pictures can't be read: %s)", u.First[0], u.Of, u.Remedy)
	}
	lines := []string{fmt.Sprintf("%d of %d pictures can't be read: %s", u.Count, u.Of, u.Remedy)}
	for _, err := range u.First {
		lines = append(lines, err.Error())
	}
	if more := u.Count - len(u.First); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns what is wrong with the first ones.
func (u *Unreadable) Unwrap() []error { return u.First }

// add counts another one.
func (u *Unreadable) add(err error) {
	if u.Count++; len(u.First) < maxNamed {
		u.First = append(u.First, err)
	}
}

// gathering reads pictures into a set, one after the other. Those that can't be read don't end
// it: they are collected.
type gathering struct {
	set   *Set
	o     FolderOptions
	tally imagefile.Tally
	bad   Unreadable
}

// add appends a file's picture. The error is that of one which can be read, but doesn't fit the set.
func (g *gathering) add(path string, label int32) error {
	g.bad.Of++
	p, err := readPicture(path)
	if err != nil {
		g.bad.add(err)
		return nil
	}
	g.tally.Add(p)
	return fault.At(path, g.set.addPicture(p, label, g.o))
}

// end tells what was decided and passed over in a folder. Pictures that can't be read are an error
// unless they are to be passed over.
func (g *gathering) end(dir string) (notes []string, err error) {
	for _, note := range g.tally.Notes(g.o.Ground) {
		notes = append(notes, dir+": "+note)
	}
	switch {
	case g.bad.Count == 0:
		return notes, nil
	case !g.o.SkipBad || g.set.Len() == 0:
		g.bad.Remedy = "mend or remove them, or have them passed over with --skip-bad (data.skip_bad)"
		return notes, &g.bad
	}
	g.bad.Remedy = "they were passed over (data.skip_bad)"
	return append(notes, dir+": "+strings.ReplaceAll(g.bad.Error(), "\n", "; ")), nil
}

// readPicture decodes a file. Errors name it.
func readPicture(path string) (*imagefile.Picture, error) {
	f, err := durable.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no such file, or a link to one that isn't there"}
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	p, err := imagefile.Read(f, info.Size())
	return p, fault.At(path, err)
}

// addPicture appends a picture. Where o has no size the first one fixes that of all.
func (s *Set) addPicture(p *imagefile.Picture, label int32, o FolderOptions) error {
	w, h := p.Size()
	if s.Len() == 0 && o.Size == 0 {
		s.H, s.W = h, w
	}
	switch {
	case s.H%8 != 0 || s.W%8 != 0 || max(s.H, s.W) > MaxSide:
		return fault.Badf("%d×%d pixels: sides must be multiples of 8, at most %d; set data.size to have them resized", s.W, s.H, MaxSide)
	case o.Size == 0 && (w != s.W || h != s.H):
		return fault.Badf("%d×%d pixels, the first image has %d×%d: set data.size to have them resized", w, h, s.W, s.H)
	case int64(len(s.Pixels)+s.Dim()) > maxFolderBytes:
		return fault.Badf("more than %d GiB of pixels: choose a smaller size", maxFolderBytes>>30)
	}
	s.Pixels = appendPlanes(s.Pixels, p.Draw(s.W, s.H, o.Ground), s.C)
	s.Labels = append(s.Labels, label)
	return nil
}

// appendPlanes appends an image's channels one after the other: three, or one of its luma.
func appendPlanes(pixels []uint8, img *image.RGBA, channels int) []uint8 {
	for c := range channels {
		for i := 0; i < len(img.Pix); i += 4 {
			p := img.Pix[i : i+4]
			v := p[c]
			if channels == 1 {
				v = color.GrayModel.Convert(color.RGBA{p[0], p[1], p[2], 255}).(color.Gray).Y
			}
			pixels = append(pixels, v)
		}
	}
	return pixels
}
