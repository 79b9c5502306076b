package step

import (
	"jem/backend"
	"jem/comm"
)

// bucketLen is how many numbers of a gradient travel at once: 8 MiB.
const bucketLen = 2 << 20

// summation adds up the parameter gradients of all ranks, bucket by bucket: those of the last layers travel
// while the backward pass goes on with the layers before them. The sums are made on the host, in the order of ranks,
// so that every rank gets the same bits; or on the ranks' cards, in an order of the engine's, where device and
// engine are for that.
type summation struct {
	dev    backend.Device
	ranks  *ranks
	bucket int // numbers of one, at most
	grad   backend.Tensor
	cards  comm.CardSummer // nil: on the host
	host   []float32       // as many
	left   int             // of them, from the first on, that have not begun
	under  []bucket
	err    error
}

// bucket are elements lo to hi−1 of a gradient, under way.
type bucket struct {
	lo, hi int
	done   comm.Pending
}

func newSummation(s *Step) *summation {
	n := &summation{dev: s.dev, ranks: s.ranks, bucket: bucketLen, grad: s.Net.Params.Grad}
	if d, is := s.dev.(backend.Addresser); is && d.Addressable() {
		n.cards, _ = s.ranks.Comm.(comm.CardSummer)
	}
	return n
}

// begin begins with another gradient. The function that it returns takes note that all elements from
// one on are there, see model.Network's ParamGrad; nil for one rank, which has nothing to add.
func (s *summation) begin() (settled func(from int)) {
	if s == nil {
		return nil
	}
	if s.host == nil && s.cards == nil {
		s.host = make([]float32, backend.Len(s.grad))
	}
	s.left, s.under, s.err = backend.Len(s.grad), s.under[:0], nil
	return func(from int) {
		for s.left-from >= s.bucket || from == 0 && s.left > 0 {
			s.send(max(0, s.left-s.bucket), s.left)
		}
	}
}

// send has a bucket begin its way.
func (s *summation) send(lo, hi int) {
	s.left = lo
	switch {
	case s.err != nil:
		return
	case s.cards != nil:
		s.sendOn(lo, hi)
		return
	}
	if s.err = s.dev.Download(s.host[lo:hi], s.piece(lo, hi)); s.err == nil {
		s.under = append(s.under, bucket{lo, hi, s.ranks.Sum(s.host[lo:hi])})
	}
}

// sendOn is send where the bucket stays on the card.
func (s *summation) sendOn(lo, hi int) {
	stream, address, err := s.dev.(backend.Addresser).Address(s.piece(lo, hi))
	if s.err = err; err == nil {
		s.under = append(s.under, bucket{lo, hi, s.cards.SumOn(stream, address, hi-lo)})
	}
}

// piece is part of the gradient, as one row: devices move rows as a whole.
func (s *summation) piece(lo, hi int) backend.Tensor { return s.dev.View(s.grad, lo, 1, hi-lo) }

// end waits for all buckets and puts the sums in the gradient's place.
func (s *summation) end() error {
	for _, b := range s.under {
		if s.err != nil {
			return s.err
		}
		if s.err = s.ranks.wait(b.done); s.err == nil && s.cards == nil {
			s.dev.Upload(s.piece(b.lo, b.hi), s.host[b.lo:b.hi])
		}
	}
	return s.err
}
