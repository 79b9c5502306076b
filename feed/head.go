package feed

// Head keeps the first n images of a set, all of them for n ≤ 0.
func Head(images Images, n int) Images {
	if n <= 0 || n >= images.Len() {
		return images
	}
	return head{images, n}
}

type head struct {
	Images
	n int
}

// Len implements Images.
func (h head) Len() int { return h.n }

// Batches implements Images.
func (h head) Batches() int { return (h.n + EvalBatch - 1) / EvalBatch }

// Batch implements Images.
func (h head) Batch(i int, images []float32, labels []int32) int {
	return min(h.Images.Batch(i, images, labels), h.n-i*EvalBatch)
}
