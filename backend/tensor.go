package backend

import (
	"fmt"
	"slices"
)

// Kind says what a tensor is for, and so who decides how it lies in memory.
type Kind uint8

const (
	// Dense tensors are row-major float32 of any rank: parameters, logits,
	// per-sample scalars, the replay buffer.
	Dense Kind = iota
	// Image tensors are activations (N,C,H,W) in the device's own layout.
	// Only Upload and Download see them as contiguous NCHW.
	Image
	// Index tensors are int32 vectors (N): class labels, slot numbers.
	Index
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case Dense:
		return "dense"
	case Image:
		return "image"
	case Index:
		return "index"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Tensor is memory on a device. Kind and shape are public, the memory is not.
// Tensors of one device must not be given to another.
type Tensor interface {
	// Kind never changes.
	Kind() Kind
	// Shape is the logical shape; the caller must not modify it.
	Shape() []int
}

// Len returns the number of logical elements, the product of the shape.
func Len(t Tensor) int {
	n := 1
	for _, d := range t.Shape() {
		n *= d
	}
	return n
}

// Describe formats kind and shape for messages, as in "image(64,3,32,32)".
// A nil tensor is "none".
func Describe(t Tensor) string {
	if t == nil {
		return "none"
	}
	s := t.Kind().String() + "("
	for i, d := range t.Shape() {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprint(d)
	}
	return s + ")"
}

// Mismatch panics on behalf of op because its operands do not fit each other.
// Devices call it when they check their arguments.
func Mismatch(op string, ts ...Tensor) {
	msg := "backend: " + op + ": operands do not fit:"
	for _, t := range ts {
		msg += " " + Describe(t)
	}
	panic(msg)
}

// SameShape panics on behalf of op unless all tensors share kind and shape.
func SameShape(op string, ts ...Tensor) {
	for _, t := range ts[1:] {
		if t.Kind() != ts[0].Kind() || !slices.Equal(t.Shape(), ts[0].Shape()) {
			Mismatch(op, ts...)
		}
	}
}

// CheckShape panics on behalf of op unless t has exactly the given kind and shape.
func CheckShape(op string, t Tensor, kind Kind, shape ...int) {
	if t == nil || t.Kind() != kind || !slices.Equal(t.Shape(), shape) {
		panic(fmt.Sprintf("backend: %s: got %s, want %s%v", op, Describe(t), kind, shape))
	}
}
