package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	paint "image/draw"
	"image/gif"

	"jem/internal/durable"
)

// Animation is a moving picture that begins again when it ends.
type Animation struct {
	Frames []image.Image // of one size
	Delay  int           // of each, in 1/100 s
	Last   int           // of the last frame, so that one can look at it
}

// GIF encodes an animation. Its 256 colours are chosen for it; transparent pixels become
// white.
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
		opaque := image.NewRGBA(r)
		paint.Draw(opaque, r, image.NewUniform(color.White), image.Point{}, paint.Src)
		paint.Draw(opaque, r, f, r.Min, paint.Over)
		frames = append(frames, opaque)
	}
	g, colors := &gif.GIF{}, &nearest{p: palette(frames)}
	for i, f := range frames {
		p := image.NewPaletted(f.Bounds(), colors.p)
		for j := range p.Pix {
			p.Pix[j] = colors.of(f.Pix[4*j], f.Pix[4*j+1], f.Pix[4*j+2])
		}
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, a.Delay)
		if i == len(frames)-1 {
			g.Delay[i] = a.Last
		}
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, g)
	return b.Bytes(), err
}

// WriteGIF writes an animation to a file, whole or not at all.
func WriteGIF(path string, a Animation) error {
	b, err := a.GIF()
	if err != nil {
		return err
	}
	return durable.WriteFile(path, b)
}
