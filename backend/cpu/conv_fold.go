package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// fold brings a sweep's 16 lanes to a planar tensor of fewer than 16 channels, row by
// row. In the gradient of a first layer (stride 1, kernel·channels ≤ 16) the lanes hold
// (kernel column, channel) pairs: the kernel then runs over the kernel's rows only, and
// the columns are summed here, shifted. That is a third of the work of padding the
// channels to 16.
type fold struct {
	s      *sweep
	shifts []int // by kernel column: where dx[x] finds its term, as pixels from x; nil: lanes are channels
	margin int   // zero pixels before and after a row
	cols   int   // pixels of a row that the kernel computes
	rows   [][]float32
}

func newFold(s *sweep, from geometry) *fold {
	f := &fold{s: s}
	k, pad := s.conv.spec.Kernel, s.conv.spec.Pad
	if s.transposed && s.step == 1 && k > 1 && k*s.dst.c <= block {
		for kx := range k {
			f.shifts = append(f.shifts, pad-kx)
		}
		f.margin = k // −k < x + pad − kx < cols + k
		s.phases[0].tapsX = []tap{{0, 0}}
		s.phases[0].cols = from.w
	}
	for _, p := range s.phases {
		f.cols = max(f.cols, p.cols)
	}
	f.rows = arenas(s.conv.d.workers.n, (f.cols+2*f.margin)*block)
	return f
}

// row computes row j of a phase of image n.
func (f *fold) row(t *asm.ConvTile, p *phase, n, j, worker int) {
	buf := f.rows[worker]
	t.Pixel = 4 * block
	t.Raw = unsafe.Pointer(&buf[f.margin*block])
	f.s.kernels.Row(t, 1, p.cols)
	d := &f.s.dst
	y := p.y + j*f.s.step
	for c := range d.c {
		at := n*d.image + c*d.plane + y*d.row
		if f.shifts == nil {
			for i := range p.cols {
				f.finish(at+p.x+i*f.s.step, buf[i*block+c])
			}
			continue
		}
		for x := range d.w {
			var v float32
			for kx, shift := range f.shifts {
				v += buf[(f.margin+x+shift)*block+kx*d.c+c]
			}
			f.finish(at+x, v)
		}
	}
}

// finish applies the epilogue of asm.ConvTile to element i of the planar outputs.
func (f *fold) finish(i int, v float32) {
	op, slope := &f.s.op, f.s.conv.spec.Slope
	if op.sign != nil && !(op.sign.data[i] > 0) {
		v *= slope
	}
	if op.residual != nil {
		v += op.residual.data[i]
	}
	if op.raw != nil {
		op.raw.data[i] = v
	}
	if op.act != nil {
		op.act.data[i] = max(v, slope*v)
	}
}
