//go:build mpi && linux && (amd64 || arm64)

package mpi

import "jem/comm"

// spans are the parts of something in a row that belong to the ranks, as MPI wants to be told of them.
type spans struct{ counts, from []int32 }

// shares are the ranks' shares of n things.
func shares(n, size int) spans {
	s := spans{make([]int32, size), make([]int32, size)}
	for r := range size {
		lo, hi := comm.Share(n, size, r)
		s.counts[r], s.from[r] = int32(hi-lo), int32(lo)
	}
	return s
}

// equal are size spans of n things each, one behind the other.
func equal(n, size int) spans {
	s := spans{make([]int32, size), make([]int32, size)}
	for r := range size {
		s.counts[r], s.from[r] = int32(n), int32(r*n)
	}
	return s
}

// sum is a piece of a bucket that ranks add up: each adds its share.
type sum struct {
	piece  []float32
	lo, hi int       // this rank's share of it
	parts  []float32 // what the ranks have for the share, one behind the other
	all    spans     // the ranks' shares of the piece
	mine   spans     // the ranks' parts
}

// newSum is that of a piece, in the memory of the last one where that is large enough.
func newSum(piece []float32, size, rank int, last *sum) *sum {
	s := &sum{piece: piece, all: shares(len(piece), size)}
	s.lo, s.hi = comm.Share(len(piece), size, rank)
	s.mine = equal(s.hi-s.lo, size)
	n := max(1, size*(s.hi-s.lo)) // not empty: its address is wanted
	if last != nil && cap(last.parts) >= n {
		s.parts = last.parts[:n]
	} else {
		s.parts = make([]float32, n)
	}
	return s
}

// add is the sum of the share in the order of ranks, ((r0+r1)+r2)+….
func (s *sum) add() {
	n := s.hi - s.lo
	total := s.piece[s.lo:s.hi]
	copy(total, s.parts[:n])
	for r := 1; r*n < len(s.parts) && n > 0; r++ {
		part := s.parts[r*n : (r+1)*n]
		for i, v := range part {
			total[i] += v
		}
	}
}
