package backend

// Sizer is what a device may offer besides Device: it tells how much memory things take, in
// bytes.
type Sizer interface {
	// InUse is what tensors, plans and working memory take now, and the most that they took.
	InUse() (now, peak int64)
	// TensorSize is what New would take.
	TensorSize(kind Kind, shape ...int) int64
	// ConvSize is what NewConv would take: own for the plan alone (weights in the plan's
	// order, sums), and shared, working memory of which all plans together need only the
	// largest.
	ConvSize(spec ConvSpec) (own, shared int64)
	// PassSize is what a pass of such calls would take for its working memory, of which all passes and
	// chains together need only the largest of each of the two kinds.
	PassSize(calls []Call) [2]int64
}

// Call is a verb on paper.
type Call struct {
	Reads, Writes []Tensor // working memory only, images (N,C,H,W) or Dense (N,…)
	Sums          bool     // it adds up over the batch
	Couples       bool     // each image's results depend on all images
	Norm          bool
	Conv          *ConvSpec // of a convolution; calls of one layer share it
}
