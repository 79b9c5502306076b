package data

import (
	"math"

	"jem/backend/philox"
)

// quantiles is a fast normal distribution for pixel noise: the upper half of N(0,1) cut into
// 2¹⁵ slices of equal probability, each standing for its median. 16 random bits make a
// number (a slice and a sign), so a Philox block makes eight and no logarithm is taken: about
// five times as fast as philox.Normal. |z| ≤ 4.2; the table is scaled to variance 1.
// Noise of σ = 0.03 on bytes that are 0.008 apart can't tell it from the continuous one.
type quantiles []float32

func newQuantiles() quantiles {
	const n = 1 << 15
	q := make([]float64, n)
	var squares float64
	for i := range q {
		q[i] = math.Sqrt2 * math.Erfinv((float64(i)+0.5)/n)
		squares += q[i] * q[i]
	}
	norm := math.Sqrt(squares / n)
	table := make(quantiles, n)
	for i, z := range q {
		table[i] = float32(z / norm)
	}
	return table
}

// add adds σ·N(0,1) to dst. Element 8j+i uses the i-th half of block first+j, low half first.
func (q quantiles) add(dst []float32, sigma float32, key philox.Key, first uint64) {
	table := (*[1 << 15]float32)(q)
	for ; len(dst) >= 8; first, dst = first+1, dst[8:] {
		w, d := key.Words(first), dst[:8:8]
		d[0] += float32(sigma * slice(table, w[0]))
		d[1] += float32(sigma * slice(table, w[0]>>16))
		d[2] += float32(sigma * slice(table, w[1]))
		d[3] += float32(sigma * slice(table, w[1]>>16))
		d[4] += float32(sigma * slice(table, w[2]))
		d[5] += float32(sigma * slice(table, w[2]>>16))
		d[6] += float32(sigma * slice(table, w[3]))
		d[7] += float32(sigma * slice(table, w[3]>>16))
	}
	w := key.Words(first)
	for i := range dst {
		dst[i] += float32(sigma * slice(table, w[i/2]>>(i%2*16)))
	}
}

// slice is the number of the low 16 bits of a word: 15 bits of slice, then the sign, set
// without a branch since it can't be predicted.
func slice(table *[1 << 15]float32, word uint32) float32 {
	return math.Float32frombits(math.Float32bits(table[word&0x7fff]) | word&0x8000<<16)
}
