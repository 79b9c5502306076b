package step

import (
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"math"
	"math/bits"

	"jem/backend"
)

// Hash is a fingerprint of all that a step changes: parameters, running statistics, optimiser, moving
// average, replay buffer and curricula. Equal states have equal ones on any machine, and two that differ by accident
// have the same with a chance of 2⁻⁶⁴. It reads the device bit by bit, waits for it, and changes nothing.
func (s *Step) Hash() (uint64, error) {
	h := hash{lanes: [hashLanes]uint64{1, 2, 3, 4}}
	for _, t := range s.state() {
		if err := h.tensor(s.dev, t); err != nil {
			return 0, err
		}
	}
	curricula, err := json.Marshal(s.Curricula())
	if err != nil {
		return 0, err
	}
	return h.end(curricula), nil
}

// state are the tensors that a step changes, all of them Dense.
func (s *Step) state() []backend.Tensor {
	all := []backend.Tensor{s.Net.Params.Value}
	for _, v := range s.Net.Stats {
		all = append(all, v.Value)
	}
	for _, v := range s.Optimizer.State() {
		all = append(all, v.Value)
	}
	if s.EMA != nil {
		all = append(all, s.EMA.Value)
	}
	if s.Buffer != nil {
		all = append(all, s.Buffer.Images)
	}
	return all
}

const (
	hashLanes = 4       // whose multiplications a processor makes side by side
	hashPiece = 1 << 20 // numbers that are on the host at once
)

// hash mixes numbers, two at a time, each pair into the next of its lanes, as xxHash does: a multiplication and
// a rotation, so that each bit reaches all others within a few of them.
type hash struct {
	lanes [hashLanes]uint64
	host  []float32
}

// tensor takes in a Dense tensor, its length included.
func (h *hash) tensor(d backend.Device, t backend.Tensor) error {
	if h.host == nil {
		h.host = make([]float32, hashPiece)
	}
	n := backend.Len(t)
	h.mix(0, uint64(n))
	for lo := 0; lo < n; lo += hashPiece {
		v := h.host[:min(hashPiece, n-lo)]
		if err := d.Download(v, d.View(t, lo, 1, len(v))); err != nil {
			return err
		}
		h.numbers(v)
	}
	return nil
}

func (h *hash) numbers(v []float32) {
	a, b, c, d := h.lanes[0], h.lanes[1], h.lanes[2], h.lanes[3]
	for ; len(v) >= 2*hashLanes; v = v[2*hashLanes:] {
		a, b = mixed(a, pair(v[0], v[1])), mixed(b, pair(v[2], v[3]))
		c, d = mixed(c, pair(v[4], v[5])), mixed(d, pair(v[6], v[7]))
	}
	h.lanes = [hashLanes]uint64{a, b, c, d}
	for i, x := range v {
		h.mix(i%hashLanes, uint64(math.Float32bits(x)))
	}
}

func (h *hash) mix(lane int, word uint64) { h.lanes[lane] = mixed(h.lanes[lane], word) }

func pair(x, y float32) uint64 {
	return uint64(math.Float32bits(x)) | uint64(math.Float32bits(y))<<32
}

// mixed is one round of xxHash64.
func mixed(h, word uint64) uint64 {
	return bits.RotateLeft64(h+word*0xC2B2AE3D27D4EB4F, 31) * 0x9E3779B185EBCA87
}

// end is the value, the bytes of what is no tensor included.
func (h *hash) end(rest []byte) uint64 {
	sum := fnv.New64a()
	for _, v := range h.lanes {
		_ = binary.Write(sum, binary.LittleEndian, v) // a hash takes everything
	}
	sum.Write(rest)
	return sum.Sum64()
}
