// Package safetensors writes and reads the safetensors format: eight bytes of header
// length, a JSON header of names, types, shapes and offsets, then the values, little
// endian, without gaps (https://github.com/huggingface/safetensors).
//
// It handles one tensor at a time, so that a state of 560 MB never lies in memory
// twice, and it trusts nothing it reads: header and tensor count are bounded, keys are
// unique at every level, shapes cannot overflow, and offsets cover the data exactly.
// It writes float32 and int32, reads the other types of package dtype into these two, and knows nothing of
// checkpoints.
//
//	err := Write(w, []Tensor{{Name: "w", Shape: []int{2, 3}, F32: w}})
package safetensors

import "math"

// Bounds on what Read accepts and Write produces.
const (
	MaxHeader  = 16 << 20 // bytes of the JSON header
	MaxTensors = 10_000
	maxRank    = 64 // dimensions of a tensor
)

// Tensor is a named array in C order. Its values are in exactly one of F32, I32 and
// Fill; an empty array may have none of them and is then float32.
type Tensor struct {
	Name  string
	Shape []int // nil or empty: a scalar, one value
	F32   []float32
	I32   []int32

	// Fill, for Write only, puts all the values into dst when their turn comes; dst is
	// shared by the tensors of one Write. It lets a device's tensors be written with no
	// more than the largest of them in host memory.
	Fill func(dst []float32) error
}

// elements returns the number of values that the shape stands for.
func elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, refuse("shape %v has a negative size", shape)
		}
		// Up to eight bytes a value: the byte count must fit in an int, too.
		if d > 0 && n > math.MaxInt/8/d {
			return 0, refuse("shape %v overflows", shape)
		}
		n *= d
	}
	return n, nil
}

// dtype returns the type's name in the header.
func (t Tensor) dtype() string {
	if t.I32 != nil {
		return "I32"
	}
	return "F32"
}

// check returns the number of values, or what is wrong with the tensor.
func (t Tensor) check() (int, error) {
	n, err := elements(t.Shape)
	if err != nil {
		return 0, err
	}
	sources := 0
	for _, has := range []bool{t.F32 != nil, t.I32 != nil, t.Fill != nil} {
		if has {
			sources++
		}
	}
	switch {
	case t.Name == "" || t.Name == metadataKey:
		return 0, refuse("name %q is not allowed", t.Name)
	case sources > 1 || sources == 0 && n > 0:
		return 0, refuse("%d of F32, I32 and Fill are set, want one", sources)
	case t.Fill == nil && len(t.F32)+len(t.I32) != n:
		return 0, refuse("shape %v wants %d values, has %d", t.Shape, n, len(t.F32)+len(t.I32))
	}
	return n, nil
}
