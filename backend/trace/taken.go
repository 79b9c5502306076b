package trace

import "jem/backend"

// Taken is the memory, in bytes, that what was made on a Device would take on another.
type Taken struct {
	Images int64 // tensors of images, and the working memory of passes
	Values int64 // all other tensors
	Plans  int64 // the convolutions' own memory, and the working memory that they share
}

// NewOn returns a device that also adds up what tensors and convolutions would take where s
// tells the sizes. What is freed stays in the sum; norms take nothing worth counting.
func NewOn(s backend.Sizer) *Device { return &Device{sizes: s} }

// Taken is the sum so far; zero for a device of New.
func (d *Device) Taken() Taken {
	t := d.taken
	t.Plans += d.shared
	t.Images += d.passes[0] + d.passes[1]
	return t
}

// take adds a tensor.
func (d *Device) take(kind backend.Kind, shape []int) {
	if d.sizes == nil {
		return
	}
	bytes := d.sizes.TensorSize(kind, shape...)
	if kind == backend.Image {
		d.taken.Images += bytes
	} else {
		d.taken.Values += bytes
	}
}

// takeConv adds a plan.
func (d *Device) takeConv(spec backend.ConvSpec) {
	if d.sizes == nil {
		return
	}
	own, shared := d.sizes.ConvSize(spec)
	d.taken.Plans += own
	d.shared = max(d.shared, shared)
}
