// Package tensors scores tensors of gorgonia.org/tensor with a model of package jem, for programs that have
// such: they alone link that library.
package tensors

import (
	"context"
	"fmt"

	"gorgonia.org/tensor"

	"jem"
)

// Score scores images x (N,C,H,W), or one (C,H,W), of the model's Shape: float32, of pictures in [−1,1], in
// whatever order they lie in memory. A row of x is one score. x isn't changed.
func Score(ctx context.Context, m *jem.Model, x *tensor.Dense) ([]jem.Score, error) {
	c, h, w := m.Shape()
	shape := x.Shape()
	images := shape
	if len(shape) == 4 {
		images = shape[1:]
	}
	if len(images) != 3 || images[0] != c || images[1] != h || images[2] != w {
		return nil, fmt.Errorf("a tensor of shape %v: the model takes (N,%d,%d,%d)", shape, c, h, w)
	}
	if x.Dtype() != tensor.Float32 {
		return nil, fmt.Errorf("a tensor of %v: the model takes float32", x.Dtype())
	}
	return m.ScoreTensor(ctx, rowMajor(x))
}

// rowMajor are a tensor's values in the order of its indices, the last one fastest, whatever order or view
// of another they are stored in.
func rowMajor(x *tensor.Dense) []float32 {
	data, shape, strides := x.Float32s(), x.Shape(), x.Strides()
	if len(strides) != len(shape) { // one value
		return data[:1]
	}
	offsets := []int{0}
	for axis, n := range shape {
		inner := make([]int, 0, len(offsets)*n)
		for _, o := range offsets {
			for i := range n {
				inner = append(inner, o+i*strides[axis])
			}
		}
		offsets = inner
	}
	values := make([]float32, len(offsets))
	for i, o := range offsets {
		values[i] = data[o]
	}
	return values
}
