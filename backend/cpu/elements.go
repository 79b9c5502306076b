package cpu

import (
	"jem/backend"
	"jem/backend/cpu/asm"
)

// chunk is the number of elements that make one part of an elementwise operation: 64 KiB
// an operand. It is a multiple of 4, so that parts begin with a block of random numbers,
// and it fixes the order of sums.
const chunk = 1 << 14

func chunks(n int) int { return (n + chunk - 1) / chunk }

// elements is an operation that maps zeros to zeros, run over whole slices, halo included.
type elements struct {
	k    *asm.Pointwise
	op   func(e *elements, lo, hi int)
	v    [4][]float32
	a, b float32
	adam asm.Adam
	sgd  asm.SGD
	box  asm.Box
	sum  func(e *elements, lo, hi int) float64 // of a part
	sums []float64                             // one a part
}

func (e *elements) part(i, _ int) {
	e.op(e, i*chunk, min((i+1)*chunk, len(e.v[0])))
}

// onElements checks the operands and prepares the region.
func (d *Device) onElements(op string, ts ...backend.Tensor) *elements {
	backend.SameShape(op, ts...)
	e := &d.elements
	e.k = &d.kernels
	for i, t := range ts {
		e.v[i] = floats(op, t)
	}
	return e
}

func (d *Device) runElements(e *elements, op func(e *elements, lo, hi int)) {
	e.op = op
	d.workers.run(chunks(len(e.v[0])), e)
}

// floats is the memory of a tensor that holds float32 and hasn't been freed.
func floats(op string, t backend.Tensor) []float32 {
	t.(*tensor).settle()
	data := t.(*tensor).data
	if len(data) == 0 {
		panic("backend: " + op + ": index or freed tensor " + backend.Describe(t))
	}
	return data
}

// pixels is an operation on valid pixels and channels only: op sees runs of valid
// elements. One part is one plane of one image.
type pixels struct {
	k    *asm.Pointwise
	op   func(p *pixels, run []float32)
	t    *tensor
	a, b float32
}

func (p *pixels) part(i, _ int) {
	g := &p.t.geom
	plane := p.t.data[i/g.blocks*g.image+i%g.blocks*g.plane:]
	lanes := g.lanes(i % g.blocks)
	for h := range g.h {
		row := plane[g.origin+h*g.row:][:g.w*g.pixel]
		if lanes == g.pixel {
			p.op(p, row)
			continue
		}
		for ; len(row) > 0; row = row[g.pixel:] {
			p.op(p, row[:lanes])
		}
	}
}

func (d *Device) runPixels(t *tensor, a, b float32, op func(p *pixels, run []float32)) {
	d.pixels = pixels{k: &d.kernels, op: op, t: t, a: a, b: b}
	d.workers.run(t.shape[0]*t.geom.blocks, &d.pixels)
}
