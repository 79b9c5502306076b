package cpu

import (
	"unsafe"

	"jem/backend"
	"jem/backend/cpu/asm"
)

// LinearParamGrad implements backend.Head.
func (d *Device) LinearParamGrad(dw, db, x, dy backend.Tensor) {
	n, inputs, outs := linearShape("LinearParamGrad", x, dy, dw, db)
	if r := d.recording; r != nil {
		r.add(sums, func(d *Device, t []backend.Tensor) { d.LinearParamGrad(t[0], t[1], t[2], t[3]) }, total(dw), total(db), in(x), in(dy))
		return
	}
	s := &d.outer
	s.dw, s.db = floats("LinearParamGrad", dw), floats("LinearParamGrad", db)
	s.x, s.dy = floats("LinearParamGrad", x), floats("LinearParamGrad", dy)
	s.rows, s.in, s.outs, s.kernels = n, inputs, outs, asm.ConvFor(d.isa)
	s.width = s.kernels.Blocks * block
	for len(s.workers) < d.workers.self+d.workers.n {
		s.workers = append(s.workers, outerKernel{})
	}
	d.workers.run(share(outs, block)*share(inputs, s.width), s)
	s.dw, s.db, s.x, s.dy = nil, nil, nil, nil
}

// outerSums is the region of a linear layer's parameter gradient: a part is 16 outputs and a group of inputs, or
// what is left of them, summed over the rows in their order by the kernels of a convolution's gradient.
type outerSums struct {
	kernels        *asm.Conv
	dw, db, x, dy  []float32
	rows, in, outs int
	width          int // of a group of inputs
	workers        []outerKernel
}

// outerKernel is what a worker needs.
type outerKernel struct {
	args asm.ConvOuter
	sums [block * 2 * block]float32
	_    [128]byte
}

// part implements region.
func (s *outerSums) part(i, worker int) {
	groups := share(s.in, s.width)
	outs, ins := span{i / groups * block, 0}, span{i % groups * s.width, 0}
	outs.hi, ins.hi = min(outs.lo+block, s.outs), min(ins.lo+s.width, s.in)
	k := &s.workers[worker]
	whole := span{ins.lo, ins.lo + (ins.hi-ins.lo)/block*block}
	rest := span{whole.hi, ins.hi}
	if whole.lo < whole.hi {
		n := whole.hi - whole.lo
		sums := s.sum(k, s.dy, s.outs, outs, s.x, s.in, whole)
		for r := range outs.hi - outs.lo {
			dw := s.dw[(outs.lo+r)*s.in+whole.lo:][:n]
			for l, v := range sums[r*n:][:n] {
				dw[l] += v
			}
		}
	}
	switch {
	case rest.lo == rest.hi:
	case outs.hi-outs.lo == block: // the other way round
		sums := s.sum(k, s.x, s.in, rest, s.dy, s.outs, outs)
		for l := range rest.hi - rest.lo {
			for r, v := range sums[l*block:][:block] {
				s.dw[(outs.lo+r)*s.in+rest.lo+l] += v
			}
		}
	default:
		s.corner(outs, rest)
	}
	if ins.lo == 0 {
		s.biases(outs)
	}
}

// sum is Σ a[few]·b[lanes]ᵀ over the rows of a and b, which have so many numbers each: [few][lane], lanes being 16 or 32.
func (s *outerSums) sum(k *outerKernel, a []float32, as int, few span, b []float32, bs int, lanes span) []float32 {
	sums := k.sums[:(few.hi-few.lo)*(lanes.hi-lanes.lo)]
	clear(sums)
	k.args = asm.ConvOuter{
		X: unsafe.Pointer(&a[few.lo]), XRow: 4 * as, DY: unsafe.Pointer(&b[lanes.lo]), DYRow: 4 * bs, DYPlane: 4 * block,
		Acc: unsafe.Pointer(&sums[0]), Rows: s.rows, Cols: 1,
	}
	s.kernels.Outer(&k.args, (lanes.hi-lanes.lo)/block, few.hi-few.lo)
	k.args = asm.ConvOuter{}
	return sums
}

// corner is what fills no lanes either way.
func (s *outerSums) corner(outs, ins span) {
	for k := outs.lo; k < outs.hi; k++ {
		for i := ins.lo; i < ins.hi; i++ {
			var sum float32
			for n := range s.rows {
				sum += s.dy[n*s.outs+k] * s.x[n*s.in+i]
			}
			s.dw[k*s.in+i] += sum
		}
	}
}

// biases adds up dy, in float64.
func (s *outerSums) biases(outs span) {
	var sums [block]float64
	for n := range s.rows {
		for r, v := range s.dy[n*s.outs+outs.lo : n*s.outs+outs.hi] {
			sums[r] += float64(v)
		}
	}
	for r, v := range sums[:outs.hi-outs.lo] {
		s.db[outs.lo+r] += float32(v)
	}
}
