package data

// Batch is a batch of images on the host.
type Batch struct {
	Step   int       // of the stream, or number of the batch in an Eval
	Pixels []float32 // (B,C,H,W), contiguous
	Labels []int32   // (B)
}

// NewBatch allocates a batch of b images of c×h×w.
func NewBatch(b, c, h, w int) *Batch {
	return &Batch{Pixels: make([]float32, b*c*h*w), Labels: make([]int32, b)}
}
