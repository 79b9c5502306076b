package cpu

import (
	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/backend/philox"
)

// streamed is an operation that gives element i of the logical (NCHW) order number i of
// a random stream.
//
// Dense and planar tensors lie in that order; a part is a chunk of them. Blocked images
// go the slow way: a part is one plane of one image, copied to scratch memory in NCHW order,
// worked on there and put back.
type streamed struct {
	k       *asm.Pointwise
	op      func(s *streamed, x, y, free []float32, block uint64)
	stream  asm.Stream
	scratch *scratch
	x, y    *tensor // destination and a second operand, which may be the same
	first   int     // number of the first element, counted from block begin of the stream
	begin   uint64  // the key's First
	a, b    float32
	sgld    asm.SGLD
}

func (s *streamed) part(i, worker int) {
	if s.x.geom.blocked {
		s.plane(i, s.scratch.worker[worker])
		return
	}
	lo, hi := i*chunk, min((i+1)*chunk, len(s.x.data))
	s.op(s, s.x.data[lo:hi], s.y.data[lo:hi], s.scratch.worker[worker][:hi-lo], s.begin+uint64((s.first+lo)/4))
}

// plane runs op on one plane of one image. Its numbers may begin within a block of four:
// up to three elements before it are worked on for nothing.
func (s *streamed) plane(i int, scratch []float32) {
	g := &s.x.geom
	image, b := i/g.blocks*g.image, i%g.blocks
	first := s.first + (i/g.blocks*g.c+b*block)*g.h*g.w
	lead := first % 4
	n := lead + g.lanes(b)*g.h*g.w
	x, y, free := scratch[:n], scratch[n:2*n], scratch[2*n:3*n]
	g.store(x[lead:], s.x.data[image:], b)
	g.store(y[lead:], s.y.data[image:], b)
	s.op(s, x, y, free, s.begin+uint64(first/4))
	g.load(s.x.data[image:], x[lead:], b)
}

func (d *Device) onStream(op string, x, y backend.Tensor, key philox.Key) *streamed {
	floats(op, x)
	floats(op, y)
	s := &d.streamed
	s.k, s.scratch = &d.kernels, d.scratch
	s.x, s.y = x.(*tensor), y.(*tensor)
	key = d.replay.key(key)
	s.stream.Set(key)
	s.begin = key.First
	s.first = d.replay.first * backend.Len(x) / x.Shape()[0]
	return s
}

func (d *Device) runStream(s *streamed, op func(s *streamed, x, y, free []float32, block uint64)) {
	s.op = op
	d.reserveStream(s.x)
	if g := &s.x.geom; g.blocked {
		d.workers.run(s.x.shape[0]*g.blocks, s)
	} else {
		d.workers.run(chunks(len(s.x.data)), s)
	}
}

// reserveStream takes the working memory of runStream.
func (d *Device) reserveStream(x backend.Tensor) {
	if g := &x.(*tensor).geom; g.blocked {
		d.scratch.reserve(3 * (3 + block*g.h*g.w))
	} else {
		d.scratch.reserve(chunk)
	}
}

// Uniform implements backend.Random.
func (d *Device) Uniform(dst backend.Tensor, key philox.Key, lo, hi float32) {
	d.now()
	s := d.onStream("Uniform", dst, dst, key)
	s.a, s.b = lo, hi-lo
	d.runStream(s, func(s *streamed, x, _, _ []float32, block uint64) {
		s.k.Uniform(x, &s.stream, block, s.a, s.b)
	})
}

// Normal implements backend.Random.
func (d *Device) Normal(dst backend.Tensor, key philox.Key, mean, std float32) {
	d.now()
	s := d.onStream("Normal", dst, dst, key)
	s.a, s.b = mean, std
	d.runStream(s, func(s *streamed, x, _, _ []float32, block uint64) {
		s.k.Normal(x, &s.stream, block, s.a, s.b)
	})
}
