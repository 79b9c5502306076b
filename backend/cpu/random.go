package cpu

import (
	"jem/backend"
	"jem/backend/cpu/asm"
	"jem/internal/philox"
)

// streamed is an operation that gives element i of the logical (NCHW) order number i of
// a random stream.
//
// Dense and planar tensors lie in that order; a part is a chunk of them. Blocked images
// go the slow way: a part is one channel of one image, gathered into scratch memory,
// worked on there and put back.
type streamed struct {
	k       *asm.Pointwise
	op      func(s *streamed, x, y, free []float32, block uint64)
	stream  asm.Stream
	scratch *scratch
	x, y    *tensor // destination and a second operand, which may be the same
	a, b    float32
	sgld    asm.SGLD
}

func (s *streamed) part(i, worker int) {
	if s.x.geom.blocked {
		s.channel(i, s.scratch.worker[worker])
		return
	}
	lo, hi := i*chunk, min((i+1)*chunk, len(s.x.data))
	s.op(s, s.x.data[lo:hi], s.y.data[lo:hi], s.scratch.worker[worker][:hi-lo], uint64(lo/4))
}

// channel runs op on one channel of one image. Its numbers may begin within a block of
// four: up to three elements before it are worked on for nothing.
func (s *streamed) channel(i int, scratch []float32) {
	g := &s.x.geom
	first := i * g.h * g.w
	lead := first % 4
	n := lead + g.h*g.w
	x, y, free := scratch[:n], scratch[n:2*n], scratch[2*n:3*n]
	off := i/g.c*g.image + g.at(i%g.c, 0, 0)
	g.gather(x[lead:], s.x.data[off:])
	g.gather(y[lead:], s.y.data[off:])
	s.op(s, x, y, free, uint64(first/4))
	g.scatter(s.x.data[off:], x[lead:])
}

// gather copies the pixels of one channel, src beginning at the first, to dst.
func (g *geometry) gather(dst, src []float32) {
	for h := range g.h {
		for w := range g.w {
			dst[h*g.w+w] = src[h*g.row+w*g.pixel]
		}
	}
}

// scatter is the inverse of gather.
func (g *geometry) scatter(dst, src []float32) {
	for h := range g.h {
		for w := range g.w {
			dst[h*g.row+w*g.pixel] = src[h*g.w+w]
		}
	}
}

func (d *Device) onStream(op string, x, y backend.Tensor, key philox.Key) *streamed {
	floats(op, x)
	floats(op, y)
	s := &d.streamed
	s.k, s.scratch = &d.kernels, &d.scratch
	s.x, s.y = x.(*tensor), y.(*tensor)
	s.stream.Set(key)
	return s
}

func (d *Device) runStream(s *streamed, op func(s *streamed, x, y, free []float32, block uint64)) {
	s.op = op
	g := &s.x.geom
	if !g.blocked {
		d.scratch.reserve(chunk)
		d.workers.run(chunks(len(s.x.data)), s)
		return
	}
	d.scratch.reserve(3 * (3 + g.h*g.w))
	d.workers.run(s.x.shape[0]*g.c, s)
}

// Uniform implements backend.Random.
func (d *Device) Uniform(dst backend.Tensor, key philox.Key, lo, hi float32) {
	s := d.onStream("Uniform", dst, dst, key)
	s.a, s.b = lo, hi-lo
	d.runStream(s, func(s *streamed, x, _, _ []float32, block uint64) {
		s.k.Uniform(x, &s.stream, block, s.a, s.b)
	})
}

// Normal implements backend.Random.
func (d *Device) Normal(dst backend.Tensor, key philox.Key, mean, std float32) {
	s := d.onStream("Normal", dst, dst, key)
	s.a, s.b = mean, std
	d.runStream(s, func(s *streamed, x, _, _ []float32, block uint64) {
		s.k.Normal(x, &s.stream, block, s.a, s.b)
	})
}
