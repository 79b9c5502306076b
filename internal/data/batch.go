package data

import "gorgonia.org/tensor"

// Batch is a batch of images on the host.
type Batch struct {
	Step   int           // of the stream, or number of the batch in an Eval
	Pixels []float32     // (B,C,H,W), contiguous
	Labels []int32       // (B)
	Images *tensor.Dense // the same memory as Pixels, with its shape
}

// NewBatch allocates a batch of b images of c×h×w.
func NewBatch(b, c, h, w int) *Batch {
	pixels := make([]float32, b*c*h*w)
	return &Batch{
		Pixels: pixels,
		Labels: make([]int32, b),
		Images: tensor.New(tensor.WithShape(b, c, h, w), tensor.WithBacking(pixels)),
	}
}
