package data

import (
	"encoding/binary"

	"jem/internal/fault"
)

// The IDX format of MNIST (LeCun): two zero bytes, the element type (8: uint8), the number
// of dimensions, each dimension as a big-endian uint32, then the elements.
const (
	idxImages = 0x00000803 // uint8, 3 dimensions: N, H, W
	idxLabels = 0x00000801 // uint8, 1 dimension: N
)

// idxPad is the border of zeros that makes 28×28 images 32×32, which the network's three
// halvings and its 8×8 pool want.
const idxPad = 2

// decodeIDX appends one pair of image and label files to the set. Images of h×w become grey
// images of (h+4)×(w+4).
func decodeIDX(s *Set, images, labels content) error {
	dims, pixels, err := readIDX(images.bytes, idxImages)
	if err != nil {
		return fault.At(images.path, err)
	}
	before := s.Len()
	if err := addLabels(s, labels.bytes); err != nil {
		return fault.At(labels.path, err)
	}
	if n := s.Len() - before; n != dims[0] {
		return fault.Badf("%d labels for %d images: the two files are not of one split", n, dims[0])
	}
	addPadded(s, pixels, dims[0], dims[1], dims[2])
	return nil
}

// addLabels appends the labels of a file.
func addLabels(s *Set, file []byte) error {
	_, y, err := readIDX(file, idxLabels)
	if err != nil {
		return err
	}
	for i, label := range y {
		if int(label) >= s.K() {
			return fault.Badf("record %d has label %d, labels are 0 to %d: the file is damaged or of another set", i, label, s.K()-1)
		}
		s.Labels = append(s.Labels, int32(label))
	}
	return nil
}

// addPadded appends n grey images of h×w with a border of idxPad zeros.
func addPadded(s *Set, pixels []byte, n, h, w int) {
	s.C, s.H, s.W = 1, h+2*idxPad, w+2*idxPad
	start := len(s.Pixels)
	s.Pixels = append(s.Pixels, make([]byte, n*s.H*s.W)...)
	for i := range n {
		for row := range h {
			to := start + (i*s.H+row+idxPad)*s.W + idxPad
			copy(s.Pixels[to:to+w], pixels[(i*h+row)*w:])
		}
	}
}

// MaxSide bounds the height and width of an image, in pixels.
const MaxSide = 1024

// readIDX splits an IDX file of the wanted kind into dimensions and elements, which alias file.
func readIDX(file []byte, magic uint32) (dims []int, elements []byte, err error) {
	head := 4 + 4*int(magic&0xff)
	if len(file) < head {
		return nil, nil, fault.Badf("%d bytes, an IDX header has %d: the file is cut; get it again", len(file), head)
	}
	if got := binary.BigEndian.Uint32(file); got != magic {
		return nil, nil, fault.Badf("IDX magic number is %#08x, want %#08x: not the file that the name says", got, magic)
	}
	elements = file[head:]
	size := uint64(1)
	for i := 4; i < head; i += 4 {
		d := binary.BigEndian.Uint32(file[i:])
		if i > 4 && d > MaxSide || d == 0 {
			return nil, nil, fault.Badf("IDX dimension %d: want 1 to %d pixels and at least one record", d, MaxSide)
		}
		size *= uint64(d) // < 2³²·2¹⁰·2¹⁰: no overflow
		dims = append(dims, int(d))
	}
	if size != uint64(len(elements)) {
		return nil, nil, fault.Badf("%d bytes after the IDX header, which says %d: cut or damaged; get it again", len(elements), size)
	}
	return dims, elements, nil
}
