package imagefile

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// Ground is what transparent pixels lie on; empty: White.
type Ground string

// The grounds. Stored drops the transparency and keeps the colours that the file has below it, as Pillow's
// convert("RGB") does; for pixels that can't be seen these may be anything.
const (
	White  Ground = "white"
	Black  Ground = "black"
	Stored Ground = "stored"
)

// Grounds are the names of all.
var Grounds = []string{string(White), string(Black), string(Stored)}

// lay prepares dst: it returns what is to be drawn on it, and how.
func (g Ground) lay(dst *image.RGBA, p *Picture) (image.Image, draw.Op) {
	switch {
	case !p.Transparent, g == Black: // colours are premultiplied: drawn alone they lie on black
		return p.stored, draw.Src
	case g == Stored:
		return opaque{p.stored}, draw.Src
	}
	draw.Draw(dst, dst.Rect, image.White, image.Point{}, draw.Src)
	return p.stored, draw.Over
}

// transparent reports whether a pixel is.
func transparent(img image.Image) bool {
	o, known := img.(interface{ Opaque() bool })
	return known && !o.Opaque()
}

// opaque is an image without its transparency.
type opaque struct{ image.Image }

// ColorModel implements image.Image.
func (opaque) ColorModel() color.Model { return color.RGBA64Model }

// At implements image.Image.
func (o opaque) At(x, y int) color.Color { return o.RGBA64At(x, y) }

// RGBA64At implements image.RGBA64Image.
func (o opaque) RGBA64At(x, y int) color.RGBA64 {
	switch c := o.Image.At(x, y).(type) {
	case color.NRGBA:
		return color.RGBA64{R: wide(c.R), G: wide(c.G), B: wide(c.B), A: 0xffff}
	case color.NRGBA64:
		return color.RGBA64{R: c.R, G: c.G, B: c.B, A: 0xffff}
	case color.NYCbCrA:
		r, g, b, _ := c.YCbCr.RGBA()
		return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: 0xffff}
	default: // premultiplied: where nothing is seen, nothing is left
		n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
		return color.RGBA64{R: n.R, G: n.G, B: n.B, A: 0xffff}
	}
}

// wide is an 8-bit value with 16 bits.
func wide(v uint8) uint16 { return uint16(v) * 0x101 }

// twelve is the first value that 12 bits don't hold.
const twelve = 1 << 12

// dim reports whether a picture has 16-bit values that 12 bits would hold. A black one counts, too:
// it is as dark as such a picture looks.
func dim(img image.Image) bool {
	var pix []byte // big-endian values
	step := 2      // bytes from one to the next
	switch i := img.(type) {
	case *image.Gray16:
		pix = i.Pix
	case *image.RGBA64:
		pix, step = i.Pix, 8
	case *image.NRGBA64:
		pix, step = i.Pix, 8
	default:
		return false
	}
	for at := 0; at < len(pix); at += step {
		for c := at; c < at+max(2, step-2); c += 2 { // without transparency
			if int(pix[c])<<8|int(pix[c+1]) >= twelve {
				return false
			}
		}
	}
	return true
}
