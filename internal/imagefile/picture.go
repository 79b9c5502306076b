package imagefile

import (
	"fmt"
	"image"
	"io"
	"runtime"

	"golang.org/x/image/draw"

	"jem/internal/fault"
)

// Picture is a decoded picture.
type Picture struct {
	Transparent bool // at least one pixel is, in part at least
	Turned      bool // it is stored lying or mirrored, as its EXIF orientation says
	Dim         bool // 16-bit values, none of which needs more than 12 bits
	Several     bool // the file has more frames or pages: this is the first

	stored      image.Image
	orientation int
}

// large is what a picture takes to decode, in bytes, beyond which garbage is collected first, so that
// two large ones in a row don't take twice as much.
const large = 64 << 20

// Read decodes a picture of so many bytes. Errors: *fault.Error (ErrBad) without the file's name;
// the disk's.
func Read(file io.ReaderAt, size int64) (p *Picture, err error) {
	return ReadWithin(file, size, maxDecode)
}

// ReadWithin is Read for who has no more memory than so many bytes for a picture that is decoded.
func ReadWithin(file io.ReaderAt, size, most int64) (p *Picture, err error) {
	// Where a decoder stumbles over what it should have refused, the file is bad: one picture must not end
	// the reading of thousands.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, &fault.Error{Kind: fault.ErrBad, Reason: "picture can't be read", Err: fmt.Errorf("%v", r)}
		}
	}()
	h, k, err := inspect(file, size, min(most, maxDecode))
	if err != nil {
		return nil, err
	}
	if h.need() > large {
		runtime.GC()
	}
	img, err := decode(k, h)
	if err != nil {
		return nil, err
	}
	p = &Picture{Turned: h.orientation > 1, Several: h.several, stored: img, orientation: h.orientation}
	p.Transparent, p.Dim = transparent(img), dim(img)
	return p, nil
}

// Of is a picture that somebody else has decoded, as it is: neither turned nor checked for how much it takes.
func Of(img image.Image) *Picture {
	return &Picture{Transparent: transparent(img), Dim: dim(img), stored: img}
}

// decode calls the decoder, and holds its picture against what the header said.
func decode(k kind, h *header) (image.Image, error) {
	img, err := k.decode(h.reader())
	if err != nil {
		return nil, unreadable(err, k.name)
	}
	if b := img.Bounds(); b.Dx() != h.config.Width || b.Dy() != h.config.Height {
		return nil, fault.Badf("%s picture can't be read: it is %d×%d pixels, and says %d×%d", k.name, b.Dx(), b.Dy(), h.config.Width, h.config.Height)
	}
	return img, nil
}

// Size is that of the picture as it is seen, in pixels.
func (p *Picture) Size() (w, h int) {
	b := p.stored.Bounds()
	if p.lying() {
		return b.Dy(), b.Dx()
	}
	return b.Dx(), b.Dy()
}

// lying holds where rows are stored as columns.
func (p *Picture) lying() bool { return p.orientation >= 5 }

// Draw gives the picture as it is seen, w×h pixels without transparency. One of another size is cut to its
// central square and scaled (bilinear, with a wider kernel when it shrinks).
func (p *Picture) Draw(w, h int, ground Ground) *image.RGBA {
	pw, ph := p.Size()
	cut, scaled := image.Rect(0, 0, pw, ph), pw != w || ph != h
	if scaled {
		cut = square(cut)
	}
	if p.lying() {
		w, h = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	src, op := ground.lay(dst, p)
	if from := p.storedRect(cut); scaled {
		draw.BiLinear.Scale(dst, dst.Rect, src, from, op, nil)
	} else {
		draw.Draw(dst, dst.Rect, src, from.Min, op)
	}
	return upright(dst, p.orientation)
}

// storedRect is where a part of the upright picture lies in the stored one.
func (p *Picture) storedRect(r image.Rectangle) image.Rectangle {
	b := p.stored.Bounds()
	x0, y0 := stored(p.orientation, r.Min.X, r.Min.Y, b.Dx(), b.Dy())
	x1, y1 := stored(p.orientation, r.Max.X-1, r.Max.Y-1, b.Dx(), b.Dy())
	return image.Rect(min(x0, x1), min(y0, y1), max(x0, x1)+1, max(y0, y1)+1).Add(b.Min)
}

// upright turns a picture as its orientation says.
func upright(img *image.RGBA, orientation int) *image.RGBA {
	if orientation <= 1 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			sx, sy := stored(orientation, x, y, w, h)
			copy(out.Pix[out.PixOffset(x, y):][:4], img.Pix[img.PixOffset(sx, sy):][:4])
		}
	}
	return out
}

// square is the largest centred square within a rectangle.
func square(b image.Rectangle) image.Rectangle {
	side := min(b.Dx(), b.Dy())
	corner := image.Pt(b.Min.X+(b.Dx()-side)/2, b.Min.Y+(b.Dy()-side)/2)
	return image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
}
