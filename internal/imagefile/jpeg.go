package imagefile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"jem/internal/fault"
)

// The scans over the pixels that a JPEG may have: a baseline one has one for each component at most, a
// progressive one ten or so. Each costs time, and may be hardly a byte of the file.
const (
	baselineScans    = 8
	progressiveScans = 100
	maxScanned       = 1.5e9 // pixels times scans: some two seconds
)

// frame is what the header of a JPEG's pixels says.
type frame struct {
	components  int
	samples     float64 // of all components, a pixel
	progressive bool
	rgb         bool // components are colours
}

// lookJPEG goes through the file's segments: EXIF, what decoding will take, and how many scans there are.
func lookJPEG(h *header) error {
	f := frame{components: 4, samples: 4, progressive: true} // the worst, until it is known
	scans := 0
	r := bufio.NewReader(h.reader())
	for {
		marker, segment, err := nextSegment(r)
		if err == io.EOF || err == io.ErrUnexpectedEOF || marker == 0xd9 {
			break // what is missing the decoder will tell
		}
		if err != nil {
			return err
		}
		switch {
		case marker == 0xe1 && h.orientation == 0 && bytes.HasPrefix(segment, []byte(exifHead)):
			h.orientation = orientationOf(segment)
		case marker >= 0xc0 && marker <= 0xc2:
			f = frameOf(segment, marker == 0xc2, f.rgb)
		case marker == 0xee && bytes.HasPrefix(segment, []byte("Adobe")) && len(segment) > 11 && segment[11] == 0:
			f.rgb = true
		case marker == 0xda:
			scans++
		}
	}
	h.perPixel = f.bytes()
	pixels := float64(h.config.Width) * float64(h.config.Height)
	if float64(scans) > min(float64(f.scans()), max(baselineScans, maxScanned/pixels)) {
		return fault.Badf("JPEG picture of %d scans: save it anew", scans)
	}
	return nil
}

// scans is how many scans are taken at most.
func (f frame) scans() int {
	if f.progressive {
		return progressiveScans
	}
	return baselineScans
}

// nextSegment passes over pixels to the next marker and reads what belongs to it.
func nextSegment(r *bufio.Reader) (marker byte, segment []byte, err error) {
	for {
		if _, err = r.ReadSlice(0xff); err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		if marker, err = r.ReadByte(); err != nil {
			return 0, nil, err
		}
		switch {
		case marker == 0xff:
			err = r.UnreadByte() // padding
			if err != nil {
				return 0, nil, err
			}
		case marker == 0 || marker >= 0xd0 && marker <= 0xd8 || marker == 0x01: // a pixel's value, or a marker alone
		case marker == 0xd9:
			return marker, nil, nil
		default:
			var length [2]byte
			if _, err := io.ReadFull(r, length[:]); err != nil {
				return 0, nil, err
			}
			segment = make([]byte, max(2, binary.BigEndian.Uint16(length[:]))-2)
			_, err = io.ReadFull(r, segment)
			return marker, segment, err
		}
	}
}

// frameOf reads a frame's header: after 6 bytes come identifier, sampling and table of each component.
func frameOf(b []byte, progressive, rgb bool) frame {
	f := frame{components: 4, samples: 4, progressive: progressive, rgb: rgb}
	if len(b) < 6 || len(b) < 6+3*int(b[5]) {
		return f
	}
	var h, v, sum float64
	for c := range int(b[5]) {
		s := b[6+3*c+1]
		ch, cv := float64(s>>4), float64(s&15)
		h, v, sum = max(h, ch), max(v, cv), sum+ch*cv
	}
	if sum > 0 {
		f.components, f.samples = int(b[5]), sum/(h*v)
		f.rgb = f.rgb || f.components == 3 && b[6] == 'R' && b[9] == 'G' && b[12] == 'B'
	}
	return f
}

// bytes is what a pixel takes: one a sample, four more for the coefficients of a progressive
// picture, and four where another picture is made of it.
func (f frame) bytes() float64 {
	n := f.samples
	if f.progressive {
		n += 4 * f.samples
	}
	if f.components == 4 || f.rgb {
		n += 4
	}
	return n
}
