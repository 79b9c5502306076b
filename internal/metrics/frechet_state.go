package metrics

import (
	"encoding/binary"
	"math"

	"gonum.org/v1/gonum/mat"
)

// MarshalBinary writes the prepared side: the number of features d, the rank r, the trace, the
// mean (d) and the factor (r,d), in little-endian 64-bit numbers.
func (f *Frechet) MarshalBinary() ([]byte, error) {
	rank, d := f.factor.Dims()
	b := binary.LittleEndian.AppendUint64(nil, uint64(d))
	b = binary.LittleEndian.AppendUint64(b, uint64(rank))
	for _, part := range [][]float64{{f.trace}, f.mean, f.factor.RawMatrix().Data} {
		for _, v := range part {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (f *Frechet) UnmarshalBinary(b []byte) error {
	const word, head, most = 8, 3, 1 << 16
	if len(b) < head*word {
		return inputf("%d bytes are no side of a distance", len(b))
	}
	d, rank := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[word:])
	if d < 1 || d > most || rank < 1 || rank > d || uint64(len(b)) != word*(head+d+rank*d) {
		return inputf("%d bytes for %d features of rank %d are no side of a distance", len(b), d, rank)
	}
	numbers := make([]float64, 1+d+rank*d)
	for i := range numbers {
		numbers[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[(2+i)*word:]))
	}
	f.trace, f.mean = numbers[0], numbers[1:1+d:1+d]
	f.factor = mat.NewDense(int(rank), int(d), numbers[1+d:])
	return nil
}
