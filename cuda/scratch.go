//go:build cuda && linux && amd64

package cuda

import "jem/cuda/internal/driver"

// slot names a piece of working memory that all verbs share, one after the other.
type slot uint8

const (
	workspace slot = iota // cuDNN's
	moved                 // contiguous rows on their way in or out
	partial               // partial sums
	weightSum             // a weight gradient in cuDNN's order
	aside                 // a convolution's bare result where its place is taken
	operand1              // operands in another storage
	operand2
	operand3
	statistics // of norms
	slots
)

// scratch is a slot's memory, which only grows.
type scratch struct{ buf *buffer }

// reserve returns at least bytes of a slot, with any content. It moves what was there: work
// under way is waited for, and captured graphs that point to it are redone.
func (d *Device) reserve(op string, s slot, bytes int64) driver.Pointer {
	have := &d.scratch[s]
	if have.buf != nil && have.buf.bytes >= bytes {
		return have.buf.p
	}
	if have.buf != nil {
		d.release(op, have.buf)
		d.moves++
	}
	have.buf = d.allocate(op, bytes, nil)
	return have.buf.p
}
