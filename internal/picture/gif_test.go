package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"testing"
)

func TestAnimation(t *testing.T) {
	frame := func(v uint8) image.Image {
		img := image.NewNRGBA(image.Rect(0, 0, 4, 3))
		for i := range 4 {
			img.SetNRGBA(i, 0, color.NRGBA{v, v, v, 0xff})
		}
		return img
	}
	b, err := Animation{Frames: []image.Image{frame(0), frame(255)}, Delay: 7, Last: 90}.GIF()
	if err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Image) != 2 || g.Delay[0] != 7 || g.Delay[1] != 90 || g.LoopCount != 0 {
		t.Fatalf("%d frames, delays %v, loop %d", len(g.Image), g.Delay, g.LoopCount)
	}
	grey := func(i, x, y int) uint32 { r, _, _, _ := g.Image[i].At(x, y).RGBA(); return r >> 8 }
	if grey(0, 0, 0) != 0 || grey(1, 0, 0) != 255 || grey(0, 0, 2) != 255 {
		t.Errorf("black %d, white %d, transparent %d", grey(0, 0, 0), grey(1, 0, 0), grey(0, 0, 2))
	}
	if _, err := (Animation{}).GIF(); err == nil {
		t.Error("an animation of nothing was made")
	}
	if _, err := (Animation{Frames: []image.Image{frame(0), image.NewGray(image.Rect(0, 0, 1, 1))}}).GIF(); err == nil {
		t.Error("frames of two sizes were taken")
	}
}
