package sampler

import (
	"slices"

	"jem/backend"
	"jem/backend/philox"
)

// Uniform is the published start: every pixel from U(−1,1), whatever the class.
type Uniform struct{}

// Fill implements Start.
func (Uniform) Fill(dst []float32, _ []int32, key philox.Key) { key.FillUniform(dst, -1, 1) }

// Fresh are images of a batch that begin anew: these rows of it, in rising order, each of its class.
type Fresh struct {
	Start   Start
	Rows    []int
	Classes []int32
	Key     philox.Key
}

// Place writes those that are in x, rows lo … lo+n−1 of the batch. All are computed if any is, in scratch,
// pixels for all rows: what an image begins with may depend on its place among them.
func (f Fresh) Place(d backend.Device, x backend.Tensor, lo int, scratch []float32) {
	n := x.Shape()[0]
	first, _ := slices.BinarySearch(f.Rows, lo)
	end, _ := slices.BinarySearch(f.Rows, lo+n)
	if first == end {
		return
	}
	size := backend.Len(x) / n
	pixels := scratch[:len(f.Rows)*size]
	f.Start.Fill(pixels, f.Classes, f.Key)
	own := f.Rows[first:end]
	if lo > 0 {
		own = slices.Clone(own)
		for i := range own {
			own[i] -= lo
		}
	}
	d.UploadRows(x, own, pixels[first*size:end*size])
}
