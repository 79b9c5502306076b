package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	paint "image/draw"
	"image/gif"
	"slices"

	"jem/internal/durable"
)

// Animation is a moving picture that begins again when it ends.
type Animation struct {
	Frames []image.Image // of one size
	Delay  int           // of each, in 1/100 s
	Last   int           // of the last frame, so that one can look at it
}

// GIF encodes an animation. Its 255 colours are chosen for it; transparent pixels become
// white. A frame holds what differs from the one before.
func (a Animation) GIF() ([]byte, error) {
	if len(a.Frames) == 0 {
		return nil, fmt.Errorf("picture: an animation of no frames")
	}
	var frames []*image.RGBA
	for i, f := range a.Frames {
		r := f.Bounds()
		if r != a.Frames[0].Bounds() {
			return nil, fmt.Errorf("picture: frame %d is %v, the first %v", i, r, a.Frames[0].Bounds())
		}
		frames = append(frames, onWhite(f))
	}
	g, colors := &gif.GIF{}, &nearest{p: palette(frames)}
	var shown *image.Paletted
	for i, f := range frames {
		p := image.NewPaletted(f.Bounds(), colors.p)
		for j := range p.Pix {
			p.Pix[j] = colors.of(f.Pix[4*j], f.Pix[4*j+1], f.Pix[4*j+2])
		}
		g.Image, g.Delay, shown = append(g.Image, change(shown, p)), append(g.Delay, a.Delay), p
		if i == len(frames)-1 {
			g.Delay[i] = a.Last
		}
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, g)
	return b.Bytes(), err
}

// onWhite is a picture on white paper.
func onWhite(f image.Image) *image.RGBA {
	r := f.Bounds()
	on := image.NewRGBA(r)
	if n, ok := f.(*image.NRGBA); ok && n.Opaque() && n.Stride == on.Stride {
		copy(on.Pix, n.Pix) // what is opaque is the same in both
		return on
	}
	paint.Draw(on, r, image.NewUniform(color.White), image.Point{}, paint.Src)
	paint.Draw(on, r, f, r.Min, paint.Over)
	return on
}

// change is what of a frame differs from the one shown before it, nil for none: the rectangle that
// holds it, or a pixel, with what is the same in it transparent.
func change(shown, p *image.Paletted) *image.Paletted {
	if shown == nil {
		return p
	}
	r := image.Rectangle{}
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		for x := p.Rect.Min.X; x < p.Rect.Max.X; x++ {
			if i := p.PixOffset(x, y); p.Pix[i] != shown.Pix[i] {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	if r.Empty() {
		r = image.Rectangle{p.Rect.Min, p.Rect.Min.Add(image.Pt(1, 1))}
	}
	same := uint8(len(p.Palette))
	out := image.NewPaletted(r, append(slices.Clone(p.Palette), color.Transparent))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if i := p.PixOffset(x, y); p.Pix[i] != shown.Pix[i] {
				out.SetColorIndex(x, y, p.Pix[i])
			} else {
				out.SetColorIndex(x, y, same)
			}
		}
	}
	return out
}

// WriteGIF writes an animation to a file, whole or not at all.
func WriteGIF(path string, a Animation) error {
	b, err := a.GIF()
	if err != nil {
		return err
	}
	return durable.WriteFile(path, b)
}
