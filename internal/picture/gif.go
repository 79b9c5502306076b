package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	paint "image/draw"
	"image/gif"

	"jem/internal/rundir/durable"
)

// Animation is a moving picture that begins again when it ends.
type Animation struct {
	Frames []image.Image // of one size
	Delay  int           // of each, in 1/100 s
	Last   int           // of the last frame, so that one can look at it
}

// GIF encodes an animation. Colours are those of a fixed palette of 256, dithered;
// transparent pixels become white.
func (a Animation) GIF() ([]byte, error) {
	if len(a.Frames) == 0 {
		return nil, fmt.Errorf("picture: an animation of no frames")
	}
	g := &gif.GIF{}
	for i, f := range a.Frames {
		r := f.Bounds()
		if r != a.Frames[0].Bounds() {
			return nil, fmt.Errorf("picture: frame %d is %v, the first %v", i, r, a.Frames[0].Bounds())
		}
		opaque := image.NewRGBA(r)
		paint.Draw(opaque, r, image.NewUniform(color.White), image.Point{}, paint.Src)
		paint.Draw(opaque, r, f, r.Min, paint.Over)
		p := image.NewPaletted(r, palette.Plan9)
		paint.FloydSteinberg.Draw(p, r, opaque, r.Min)
		delay := a.Delay
		if i == len(a.Frames)-1 {
			delay = a.Last
		}
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, delay)
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
