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
}
