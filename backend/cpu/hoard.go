package cpu

// hoard hands out memory that is used over and over, weights in their kernels' order and working memory:
// side by side in large pieces, which have room for huge pages.
type hoard struct {
	rest []float32
	last int // floats of the last piece
}

const hoardLeast, hoardMost = 512 << 10, 4 << 20 // floats

// take returns n zeroed floats that start on a 128-byte boundary.
func (h *hoard) take(n int) []float32 {
	const line = 32
	size := roundUp(n, line)
	if size > len(h.rest) {
		if size > hoardMost/2 {
			return aligned(n)
		}
		h.last = min(max(hoardLeast, 2*h.last), hoardMost)
		h.rest = aligned(max(h.last, size))
	}
	taken := h.rest[:n:n]
	h.rest = h.rest[size:]
	return taken
}
