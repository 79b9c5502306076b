package torchfile

import (
	"io"

	"jem/internal/fault"
)

// check says what is wrong with a tensor's place in its storage; "" if nothing is.
func (t *tensor) check() string {
	if len(t.shape) != len(t.stride) || t.offset < 0 || t.offset > t.count {
		return fault.Sprintf("of shape %v has strides %v and offset %d in a storage of %d", t.shape, t.stride, t.offset, t.count)
	}
	const limit = 1 << 40 // elements: no product below overflows
	n, last := int64(1), t.offset
	for i, d := range t.shape {
		s := t.stride[i]
		if d < 0 || d > limit || s < 0 || s > limit || d > 0 && n > limit/d || d > 0 && s > 0 && d > limit/s {
			return fault.Sprintf("has shape %v and strides %v", t.shape, t.stride)
		}
		n *= d
		last += max(0, d-1) * s
	}
	if n > 0 && last >= t.count {
		return fault.Sprintf("of shape %v, strides %v and offset %d reaches element %d of a storage of %d", t.shape, t.stride, t.offset, last, t.count)
	}
	return ""
}

// len is the number of elements.
func (t *tensor) len() int64 {
	n := int64(1)
	for _, d := range t.shape {
		n *= d
	}
	return n
}

// span is the number of elements from the first to the last.
func (t *tensor) span() int64 {
	if t.len() == 0 {
		return 0
	}
	n := int64(1)
	for i, d := range t.shape {
		n += (d - 1) * t.stride[i]
	}
	return n
}

// read returns the values in C order.
func (t *tensor) read(r io.ReaderAt, name string) (Tensor, error) {
	out := Tensor{Name: name, Shape: t.sizes()}
	from := t.at + t.offset*t.kind.Size
	raw := make([]byte, t.span()*t.kind.Size)
	if _, err := r.ReadAt(raw, from); err != nil && err != io.EOF {
		return out, err
	}
	if t.kind.Float() {
		out.F32 = make([]float32, t.len())
	} else {
		out.I32 = make([]int32, t.len())
	}
	var at int64
	position := make([]int64, len(t.shape))
	for i := range t.len() {
		if err := t.element(out, int(i), raw[at*t.kind.Size:]); err != nil {
			return out, refuse(from+at*t.kind.Size, "tensor %q: %v", name, err)
		}
		at = t.advance(position, at)
	}
	return out, nil
}

// sizes is the shape as a Tensor has it.
func (t *tensor) sizes() (shape []int) {
	for _, d := range t.shape {
		shape = append(shape, int(d))
	}
	return shape
}

// element sets value i from its bytes.
func (t *tensor) element(out Tensor, i int, b []byte) (err error) {
	if t.kind.Float() {
		out.F32[i], err = t.kind.Value(b)
	} else {
		out.I32[i], err = t.kind.Count(b)
	}
	return err
}

// advance moves a position to the next element in C order and returns where in the storage,
// counted from the tensor's first element, that is.
func (t *tensor) advance(position []int64, at int64) int64 {
	for d := len(position) - 1; d >= 0; d-- {
		at += t.stride[d]
		if position[d]++; position[d] < t.shape[d] {
			return at
		}
		at -= position[d] * t.stride[d]
		position[d] = 0
	}
	return at
}
