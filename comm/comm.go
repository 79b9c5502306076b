// Package comm is what the ranks of one run say to each other: they add up gradients, collect
// logits and chains, spread states, agree on when to stop, and notice who is gone.
//
// A rank is one of Size processes that take each step of a run together, each with its share
// of the batch. Engines: this package's Local, of one rank; comm/mem, ranks that are
// goroutines; comm/mpi; comm/nccl, ranks that have a card each. An engine moves bytes and adds numbers; what they mean
// it doesn't know.
//
// All ranks make the same calls in the same order: each call is a round that ends when all have
// come to it. Waiting in a round takes no processor, and is bounded: whoever doesn't come within
// the engine's time is gone, and every rank that waits gets a *PeerError.
package comm

// Comm is this process's place among the ranks. It belongs to one goroutine; its operations are
// begun and waited for in one order on all ranks.
type Comm interface {
	// Rank is this process's number, from 0.
	Rank() int
	// Size is the number of ranks.
	Size() int
	// Name describes the engine, as in "Open MPI 5.0.11"; "" for one rank.
	Name() string

	// Sum starts to add up a bucket over all ranks, element by element in float32 and in the
	// order of ranks, ((r0+r1)+r2)+…, in place: every rank gets the same bits, those of any other
	// engine. The bucket is the engine's until Wait.
	Sum(bucket []float32) Pending
	// Gather starts to collect what each rank has put into its share of all, see Share: all ranks
	// get everyone's. all is the engine's until Wait.
	Gather(all []float32) Pending
	// Broadcast starts to copy the root's bytes to all ranks, which bring as many.
	Broadcast(data []byte, root int) Pending
	// Max is the largest of the values that the ranks bring.
	Max(value int64) (int64, error)

	// At tells the engine after how many steps this rank is, for what it says of it to others.
	At(step int)
	// Abort ends the whole job at once with an exit code, as well as the engine can; it doesn't return.
	Abort(code int, why string)
	// Close takes leave of the others, all of which must come to it. The process may end then,
	// through Exit.
	Close() error
	// Exit ends the process in the way that the engine needs.
	Exit(code int)
}

// Pending is an operation under way.
type Pending interface {
	// Wait returns when the operation is over. Operations end in the order in which they began.
	Wait() error
}

// Share returns which of n things in a row are a rank's: lo to hi−1. Shares differ by at most one thing,
// and the first ranks have the larger ones.
func Share(n, size, rank int) (lo, hi int) {
	each, more := n/size, n%size
	lo = rank*each + min(rank, more)
	hi = lo + each
	if rank < more {
		hi++
	}
	return lo, hi
}
