package imagefile

import (
	"encoding/binary"

	"jem/internal/fault"
)

// maxChunks bounds how many chunks are passed on the way to the pixels.
const maxChunks = 1000

// maxEXIF is the size of EXIF data that is looked at, in bytes: what a JPEG's segment holds.
const maxEXIF = 1 << 16

// lookPNG finds the EXIF chunk before the pixels, and whether rows come interlaced.
func lookPNG(h *header) error {
	at := int64(8)
	for range maxChunks {
		head, err := h.read(at, 8)
		if len(head) < 8 {
			return err
		}
		length := int64(binary.BigEndian.Uint32(head))
		switch string(head[4:]) {
		case "IHDR":
			if b, _ := h.read(at+8+12, 1); len(b) == 1 && b[0] != 0 {
				h.perPixel *= 1.5 // the last pass has half the pixels
			}
		case "eXIf":
			b, err := h.read(at+8, int(min(length, maxEXIF)))
			if err != nil {
				return err
			}
			h.orientation = orientationOf(b)
		case "tRNS":
			h.perPixel = 8 // grey becomes colour, with up to 16 bits
		case "acTL":
			h.several = true
		case "IDAT":
			return nil
		}
		at += 8 + length + 4
	}
	return nil
}

// lookWebP finds the EXIF chunk, and refuses an animation.
func lookWebP(h *header) error {
	// A lossy picture has 1.5 bytes a pixel, 1 more of transparency and its compressed form; a
	// lossless one 4, and as many again where it has a palette.
	h.perPixel = 8
	at := int64(12)
	for range maxChunks {
		head, err := h.read(at, 9)
		if len(head) < 9 {
			return err
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		switch string(head[:4]) {
		case "VP8X":
			const animation = 0x02
			if head[8]&animation != 0 {
				return fault.Badf("is an animated WebP, which can't be read here: save one frame of it")
			}
		case "EXIF":
			b, err := h.read(at+8, int(min(length, maxEXIF)))
			if err != nil {
				return err
			}
			h.orientation = orientationOf(b)
		}
		at += 8 + length + length&1
	}
	return nil
}

// lookBMP has nothing to find.
func lookBMP(*header) error { return nil }

// lookTIFF reads the directory. Faxes are refused: the decoder has some of them black for white.
func lookTIFF(h *header) error {
	var values map[uint16]int
	values, h.several = directory(h.file)
	if c := values[compressionTag]; c >= 2 && c <= 4 {
		return fault.Badf("is a TIFF packed as a fax, which can't be read here: make it PNG")
	}
	h.orientation = orientation(values)
	h.perPixel *= 2 // a strip may be the whole picture, and is unpacked first
	return nil
}
