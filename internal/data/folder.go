package data

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"

	"jem/internal/data/layout"
	"jem/internal/fault"
)

// FolderOptions says how a folder of images is read.
type FolderOptions struct {
	Size int  // side in pixels of the central square that images are cut and resized to, a multiple of 8; 0: all have one size already
	Grey bool // one channel instead of three
}

// Limits on a folder of images: they keep a wrong folder or a crafted picture from eating the memory.
const (
	maxFileBytes   = 64 << 20
	maxPicture     = 16 << 20 // pixels of one picture, 4096×4096
	maxFolderBytes = 8 << 30  // of the set as uint8
)

// OpenFolder reads the PNG and JPEG files below a folder, whatever its layout, in the order
// of their names, those that lie in it directly first; other files are passed over with a
// note. Each sub-folder is a class.
func OpenFolder(dir string, o FolderOptions) (*Set, []string, error) {
	classes, err := layout.Anything(dir)
	if err != nil {
		return nil, nil, err
	}
	return openClasses(dir, classes, o)
}

// openClasses reads the pictures of the classes.
func openClasses(dir string, classes []layout.Class, o FolderOptions) (*Set, []string, error) {
	if o.Size < 0 || o.Size%8 != 0 || o.Size > MaxSide {
		return nil, nil, fmt.Errorf("image size %d: want a multiple of 8, at most %d", o.Size, MaxSide)
	}
	s := &Set{Name: Folder, C: 3, H: o.Size, W: o.Size, Sources: []Source{{Path: dir}}}
	if o.Grey {
		s.C = 1
	}
	var passed layout.Passed
	for y, c := range classes {
		s.Classes = append(s.Classes, c.Name)
		files, err := c.Find()
		if err != nil {
			return nil, nil, err
		}
		passed.Add(files)
		if err := s.addFiles(files.Pictures, int32(y), o.Size > 0); err != nil {
			return nil, nil, err
		}
	}
	if s.Len() == 0 {
		return nil, nil, &fault.Error{Path: dir, Kind: fault.ErrMissing, Reason: "no PNG or JPEG images" + passed.Instead() + ": put them into one sub-folder a class"}
	}
	return s, passed.Notes(dir), s.check()
}

// addFiles appends the images of one class.
func (s *Set) addFiles(paths []string, label int32, resize bool) error {
	for _, path := range paths {
		b, err := readContent(path, maxFileBytes)
		if err != nil {
			return err
		}
		if err := s.addPicture(b, resize); err != nil {
			return fault.At(path, err)
		}
		s.Labels = append(s.Labels, label)
	}
	return nil
}

// addPicture appends the pixels of an encoded picture. Without resizing the first picture
// fixes the size of them all.
func (s *Set) addPicture(file []byte, resize bool) error {
	img, err := decodePicture(file)
	if err != nil {
		return err
	}
	b := img.Bounds()
	if s.Len() == 0 && !resize {
		s.H, s.W = b.Dy(), b.Dx()
	}
	switch {
	case s.H%8 != 0 || s.W%8 != 0 || max(s.H, s.W) > MaxSide:
		return fault.Badf("%d×%d pixels: sides must be multiples of 8, at most %d; set data.size to have them resized", s.W, s.H, MaxSide)
	case !resize && (b.Dx() != s.W || b.Dy() != s.H):
		return fault.Badf("%d×%d pixels, the first image has %d×%d: set data.size to have them resized", b.Dx(), b.Dy(), s.W, s.H)
	case int64(len(s.Pixels)+s.Dim()) > maxFolderBytes:
		return fault.Badf("more than %d GiB of pixels: choose a smaller size", maxFolderBytes>>30)
	}
	s.addPixels(img)
	return nil
}

// decodePicture decodes a PNG or JPEG after a look at its size.
func decodePicture(file []byte) (image.Image, error) {
	config, decode := png.DecodeConfig, png.Decode
	if bytes.HasPrefix(file, []byte{0xff, 0xd8}) {
		config, decode = jpeg.DecodeConfig, jpeg.Decode
	}
	c, err := config(bytes.NewReader(file))
	if err != nil {
		return nil, unreadable(err, "picture")
	}
	if c.Width < 1 || c.Height < 1 || int64(c.Width)*int64(c.Height) > maxPicture {
		return nil, fault.Badf("picture of %d×%d pixels: at most %d in all", c.Width, c.Height, maxPicture)
	}
	img, err := decode(bytes.NewReader(file))
	if err != nil {
		return nil, unreadable(err, "picture")
	}
	return img, nil
}

// addPixels appends an image as planes. One of another size is cut to its central square and
// scaled (bilinear, with a wider kernel when it shrinks). Transparent pixels lie on black.
func (s *Set) addPixels(img image.Image) {
	flat := image.NewRGBA(image.Rect(0, 0, s.W, s.H))
	if b := img.Bounds(); b.Size() == flat.Bounds().Size() {
		draw.Draw(flat, flat.Bounds(), img, b.Min, draw.Src)
	} else {
		draw.BiLinear.Scale(flat, flat.Bounds(), img, square(b), draw.Src, nil)
	}
	for c := range s.C {
		for i := 0; i < len(flat.Pix); i += 4 {
			p := flat.Pix[i : i+4]
			v := p[c]
			if s.C == 1 {
				v = color.GrayModel.Convert(color.RGBA{p[0], p[1], p[2], 255}).(color.Gray).Y
			}
			s.Pixels = append(s.Pixels, v)
		}
	}
}

// square is the largest centred square within a rectangle.
func square(b image.Rectangle) image.Rectangle {
	side := min(b.Dx(), b.Dy())
	corner := image.Pt(b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2)
	return image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
}
