package picture

import (
	"bytes"
	"image"
	"image/color"
	paint "image/draw"
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

// A frame holds what differs: played from the first, each becomes the picture that it was.
func TestFramesHoldChanges(t *testing.T) {
	var frames []image.Image
	for i := range 4 {
		img := image.NewNRGBA(image.Rect(0, 0, 40, 30))
		for x := range 40 {
			for y := range 30 {
				img.SetNRGBA(x, y, color.NRGBA{uint8(4 * x), uint8(4 * y), 0, 0xff})
			}
		}
		img.SetNRGBA(10+min(i, 2), 12, color.NRGBA{0, 0, 0xff, 0xff})
		frames = append(frames, img)
	}
	b, err := Animation{Frames: frames, Delay: 7, Last: 90}.GIF()
	if err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []image.Rectangle{image.Rect(0, 0, 40, 30), image.Rect(10, 12, 12, 13), image.Rect(11, 12, 13, 13), image.Rect(0, 0, 1, 1)} {
		if g.Image[i].Rect != want {
			t.Errorf("frame %d holds %v, want %v", i, g.Image[i].Rect, want)
		}
	}
	alone, err := Animation{Frames: frames[2:3], Delay: 7, Last: 90}.GIF()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := gif.Decode(bytes.NewReader(alone))
	if err != nil {
		t.Fatal(err)
	}
	screen := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for _, f := range g.Image[:3] {
		paint.Draw(screen, f.Rect, f, f.Rect.Min, paint.Over)
	}
	// Which 255 colours are chosen differs a little between one picture and three: by less than a box, 4 of 256.
	for x := range 40 {
		for y := range 30 {
			r, g, b, _ := screen.At(x, y).RGBA()
			wr, wg, wb, _ := whole.At(x, y).RGBA()
			if apart(r, wr) > 16 || apart(g, wg) > 16 || apart(b, wb) > 16 {
				t.Fatalf("(%d, %d) is %v, want %v", x, y, screen.At(x, y), whole.At(x, y))
			}
		}
	}
}

func apart(a, b uint32) uint32 { return max(a>>8, b>>8) - min(a>>8, b>>8) }
