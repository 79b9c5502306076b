package cpu

import "slices"

// scratch is the device's working memory. It grows to what the largest tensors in use
// need and stays.
type scratch struct {
	worker [][]float32 // private to each worker
	size   int         // floats of each
	sums   []float64   // one partial result a part
	meter  meter
	hoard  hoard // where it and the device's other lasting memory come from
}

// reserve makes n floats available to every worker.
func (s *scratch) reserve(n int) {
	// Workers' memories lie 4 KiB apart, out of reach of each other's prefetchers.
	const gap = 1024
	if n <= s.size {
		return
	}
	s.meter.add(4 * (n - s.size) * len(s.worker))
	s.size = n
	for i := range s.worker {
		if !s.meter.rehearsal {
			s.worker[i] = s.hoard.take(n + gap)[:n]
		}
	}
}

// partial returns n zeroed partial sums.
func (s *scratch) partial(n int) []float64 {
	s.sums = slices.Grow(s.sums[:0], n)[:n]
	clear(s.sums)
	return s.sums
}
