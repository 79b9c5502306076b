package data

import (
	"fmt"

	"jem/internal/fault"
)

// Split names a published part of a set.
type Split string

// The published parts.
const (
	Train Split = "train"
	Test  Split = "test"
	Extra Split = "extra" // SVHN only
	Valid Split = "valid" // folders of one's own only
)

// Source is a file that a set was read from.
type Source struct {
	Path     string
	Verified bool // content has the publisher's hash
}

// Set is a set of labelled images. It is read-only after Open: any number of goroutines
// may use it.
type Set struct {
	Name    string
	Split   Split
	C, H, W int
	Pixels  []uint8  // (N,C,H,W), contiguous, 0…255
	Labels  []int32  // (N), in [0,len(Classes))
	Classes []string // (K)
	Sources []Source
}

// Len is the number of images, N.
func (s *Set) Len() int { return len(s.Labels) }

// Dim is the number of values of an image, D = C·H·W.
func (s *Set) Dim() int { return s.C * s.H * s.W }

// K is the number of classes.
func (s *Set) K() int { return len(s.Classes) }

// Image returns image i, (C,H,W), without copying.
func (s *Set) Image(i int) []uint8 {
	d := s.Dim()
	return s.Pixels[i*d : (i+1)*d : (i+1)*d]
}

// Unlabelled is a view of the images in one class without a name, 0.
func (s *Set) Unlabelled() *Set {
	u := *s
	u.Labels, u.Classes = make([]int32, s.Len()), []string{""}
	return &u
}

// Scaled writes image i, scaled to [-1,1], to dst (C,H,W).
func (s *Set) Scaled(dst []float32, i int) {
	for j, v := range s.Image(i) {
		dst[j] = scale(v)
	}
}

// Verified reports whether every file has the publisher's hash.
func (s *Set) Verified() bool {
	for _, f := range s.Sources {
		if !f.Verified {
			return false
		}
	}
	return len(s.Sources) > 0
}

// Head returns a view of the first n images; all of them for n ≤ 0 or n ≥ N.
func (s *Set) Head(n int) *Set {
	if n <= 0 || n >= s.Len() {
		return s
	}
	h := *s
	h.Labels, h.Pixels = s.Labels[:n:n], s.Pixels[:n*s.Dim():n*s.Dim()]
	return &h
}

// check holds what every reader must deliver.
func (s *Set) check() error {
	if s.Len() == 0 {
		return fault.Badf("no images")
	}
	if len(s.Pixels) != s.Len()*s.Dim() {
		return fmt.Errorf("%d pixel values for %d images of %d×%d×%d", len(s.Pixels), s.Len(), s.C, s.H, s.W)
	}
	return nil
}

// scale maps a byte to [-1,1] as the official transforms do: (x/255 − 0.5)/0.5, in float32.
// The quotient by 0.5 is exact, so 2·(…) gives the same bits.
func scale(v uint8) float32 { return (float32(v)/255 - 0.5) * 2 }
