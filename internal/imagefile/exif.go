package imagefile

import (
	"bytes"
	"encoding/binary"
	"io"
)

// exifHead begins the EXIF data in a JPEG, and sometimes in a WebP.
const exifHead = "Exif\x00\x00"

// Tags of a directory (TIFF 6.0; EXIF 2.32, 4.6.4).
const (
	compressionTag = 0x0103
	orientationTag = 0x0112
)

// maxEntries bounds a directory; EXIF's have some tens.
const maxEntries = 1000

// orientationOf is the orientation that EXIF data give, 1 to 8, and 0 where they give none. A
// damaged directory gives none: the picture is whole without it.
func orientationOf(exif []byte) int {
	values, _ := directory(bytes.NewReader(bytes.TrimPrefix(exif, []byte(exifHead))))
	return orientation(values)
}

// orientation is that of a directory.
func orientation(values map[uint16]int) int {
	if v := values[orientationTag]; v <= 8 {
		return v
	}
	return 0
}

// directory reads the first directory of a TIFF file, or of EXIF data, which are laid out as one:
// the values that are one 16-bit number, by tag, and whether another directory follows.
func directory(r io.ReaderAt) (values map[uint16]int, more bool) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(head[4:]))
	var count [2]byte
	if _, err := r.ReadAt(count[:], at); err != nil {
		return nil, false
	}
	n := min(int(order.Uint16(count[:])), maxEntries)
	entries := make([]byte, 12*n+4) // the offset of the next directory comes last
	got, _ := r.ReadAt(entries, at+2)
	values = map[uint16]int{}
	for e := entries[:min(got, 12*n)]; len(e) >= 12; e = e[12:] {
		const short = 3
		if order.Uint16(e[2:]) == short && order.Uint32(e[4:]) == 1 {
			values[order.Uint16(e)] = int(order.Uint16(e[8:]))
		}
	}
	return values, got == len(entries) && order.Uint32(entries[12*n:]) != 0
}

// stored is where a pixel (x,y) of the upright picture lies in the stored one of w×h pixels.
func stored(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}
