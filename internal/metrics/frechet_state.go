package metrics

import (
	"encoding/binary"
	"math"

	"gonum.org/v1/gonum/mat"
)

// MarshalBinary writes the prepared side, so that the root need not be taken again: the number
// of features d, the trace, the mean (d) and the upper triangle of the root row by row, in
// little-endian float64.
func (f *Frechet) MarshalBinary() ([]byte, error) {
	d := len(f.mean)
	b := binary.LittleEndian.AppendUint64(nil, uint64(d))
	put := func(v float64) { b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v)) }
	put(f.trace)
	for _, v := range f.mean {
		put(v)
	}
	for i := range d {
		for j := i; j < d; j++ {
			put(f.root.At(i, j))
		}
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (f *Frechet) UnmarshalBinary(b []byte) error {
	const word, most = 8, 1 << 16
	if len(b) < 2*word {
		return inputf("%d bytes are no side of a distance", len(b))
	}
	d := binary.LittleEndian.Uint64(b)
	if d < 1 || d > most || uint64(len(b)) != word*(2+d+d*(d+1)/2) {
		return inputf("%d bytes for %d features are no side of a distance", len(b), d)
	}
	next := func() float64 {
		b = b[word:]
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	f.trace, f.mean, f.root = next(), make([]float64, d), mat.NewSymDense(int(d), nil)
	for i := range f.mean {
		f.mean[i] = next()
	}
	for i := range int(d) {
		for j := i; j < int(d); j++ {
			f.root.SetSym(i, j, next())
		}
	}
	return nil
}
