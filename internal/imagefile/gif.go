package imagefile

import (
	"bufio"
	"image"
	"image/draw"
	"image/gif"
	"io"
)

// lookGIF sees whether there is more than one frame. A file that ends too early has no more.
func lookGIF(h *header) error {
	h.perPixel = 5 // one for the frame, four for the screen that it lies on
	r := bufio.NewReader(h.reader())
	var head [13]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return unreadable(err, "GIF")
	}
	r.Discard(colours(head[10]))
	for frames := 0; ; {
		block, err := r.ReadByte()
		if err != nil || block != '!' && block != ',' {
			return nil // the trailer, or the end
		}
		if block == '!' { // an extension: its label, then its blocks
			r.Discard(1)
		} else {
			if frames++; frames > 1 {
				h.several = true
				return nil
			}
			var frame [9]byte
			if _, err := io.ReadFull(r, frame[:]); err != nil {
				return nil
			}
			r.Discard(colours(frame[8]) + 1) // and the size of the codes
		}
		for n := byte(1); n > 0; {
			if n, err = r.ReadByte(); err != nil {
				return nil
			}
			r.Discard(int(n))
		}
	}
}

// colours is the size of a colour table in bytes.
func colours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (1 + flags&7)
}

// decodeGIF gives the first frame on its screen, which is transparent elsewhere.
func decodeGIF(r io.Reader) (image.Image, error) {
	all := r.(io.ReadSeeker)
	c, err := gif.DecodeConfig(all)
	if err != nil {
		return nil, err
	}
	if _, err := all.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	frame, err := gif.Decode(all)
	if err != nil {
		return nil, err
	}
	screen := image.NewNRGBA(image.Rect(0, 0, c.Width, c.Height))
	if frame.Bounds() == screen.Rect {
		return frame, nil
	}
	draw.Draw(screen, frame.Bounds(), frame, frame.Bounds().Min, draw.Src)
	return screen, nil
}
