//go:build cuda && linux && amd64

package nccl

import (
	"encoding/binary"
	"unsafe"

	"jem/comm"
)

// exchange gives all ranks what each has: bytes of one length on all ranks, of mine where there are so many, in pieces.
// take gets a rank's part of it, from a byte on.
func (e *engine) exchange(name string, length int, mine []byte, take func(rank, from int, part []byte)) comm.Pending {
	each := stageBytes / e.size &^ 7
	span := func(piece int) int { return min(each, length-piece*each) }
	return e.start(&operation{name: name,
		begin: func(piece int) (bool, error) {
			if span(piece) <= 0 {
				return false, nil
			}
			from := min(piece*each, len(mine))
			if err := e.card.send(mine[from:min(from+each, len(mine))], span(piece)); err != nil {
				return false, err
			}
			return true, e.lib.call(e.comm, "ncclAllGather", e.card.here, e.card.all, uintptr(span(piece)), typeInt8, e.comm, e.card.stream)
		},
		after: func(piece int) error { return e.card.fetch(e.card.all, span(piece)*e.size) },
		end: func(piece int) {
			n := span(piece)
			for rank, all := 0, e.card.got(n*e.size); rank < e.size; rank++ {
				take(rank, piece*each, all[rank*n:(rank+1)*n])
			}
		}})
}

func bytesOf(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*4)
}

// Sum implements comm.Comm. Every rank gets all buckets and adds them itself, in the order of ranks, which NCCL's own
// sums don't keep: it is for little. What there is much of lies on the card, see SumOn.
func (e *engine) Sum(bucket []float32) comm.Pending {
	if len(bucket) == 0 {
		return comm.Done{}
	}
	own := append([]float32(nil), bucket...)
	return e.exchange("sum", 4*len(bucket), bytesOf(own), func(rank, from int, part []byte) {
		total := bucket[from/4:][:len(part)/4]
		if rank == 0 {
			copy(bytesOf(total), part)
			return
		}
		for i := range total {
			v := *(*float32)(unsafe.Pointer(&part[4*i]))
			total[i] += v
		}
	})
}

// Gather implements comm.Comm.
func (e *engine) Gather(all []float32) comm.Pending {
	if len(all) == 0 {
		return comm.Done{}
	}
	lo, hi := comm.Share(len(all), e.size, e.rank)
	_, longest := comm.Share(len(all), e.size, 0)
	return e.exchange("gather", 4*longest, bytesOf(all[lo:hi]), func(rank, from int, part []byte) {
		if rank != e.rank {
			lo, hi := comm.Share(len(all), e.size, rank)
			share := bytesOf(all[lo:hi])
			copy(share[min(from, len(share)):], part)
		}
	})
}

// Broadcast implements comm.Comm.
func (e *engine) Broadcast(data []byte, root int) comm.Pending {
	part := func(piece int) []byte { return data[piece*stageBytes : min(len(data), (piece+1)*stageBytes)] }
	return e.start(&operation{name: "broadcast",
		begin: func(piece int) (bool, error) {
			if piece*stageBytes >= len(data) {
				return false, nil
			}
			if e.rank == root {
				if err := e.card.send(part(piece), len(part(piece))); err != nil {
					return false, err
				}
			}
			return true, e.lib.call(e.comm, "ncclBroadcast", e.card.here, e.card.all, uintptr(len(part(piece))), typeInt8, uintptr(root), e.comm, e.card.stream)
		},
		after: func(piece int) error { return e.card.fetch(e.card.all, len(part(piece))) },
		end:   func(piece int) { copy(part(piece), e.card.got(len(part(piece)))) }})
}

// Max implements comm.Comm.
func (e *engine) Max(value int64) (int64, error) {
	largest := value
	err := e.exchange("max", 8, binary.NativeEndian.AppendUint64(nil, uint64(value)), func(_, _ int, part []byte) {
		largest = max(largest, int64(binary.NativeEndian.Uint64(part)))
	}).Wait()
	return largest, err
}
