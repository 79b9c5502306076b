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
	taps   int            // columns of the kernel held in lanes; 0: lanes are channels
	margin int            // zero pixels before and after a row
	rows   [][]float32    // by worker: a row of lanes, then what it folds to
	folded int            // where that begins
	args   []asm.ConvFold // by worker, tilePad apart
}

func newFold(s *sweep, from geometry) *fold {
	f := &fold{s: s}
	k := s.conv.spec.Kernel
	if s.transposed && s.step == 1 && k > 1 && k*s.dst.c <= block {
		f.taps = k
		f.margin = k // column kx of dx[x] is at −k < x + pad − kx < cols + k
		s.phases[0].tapsX = []tap{{0, 0}}
		s.phases[0].cols = from.w
	}
	cols := 0
	for _, p := range s.phases {
		cols = max(cols, p.cols)
	}
	f.folded = (cols + 2*f.margin) * block
	f.rows = arenas(s.conv.d.workers.n, f.folded+s.dst.c*s.dst.w)
	f.args = make([]asm.ConvFold, s.conv.d.workers.n*tilePad)
	return f
}

// row computes row j of a phase of image n.
func (f *fold) row(t *asm.ConvTile, p *phase, n, j, worker int) {
	buf, d := f.rows[worker], &f.s.dst
	t.Pixel = 4 * block
	t.Raw = unsafe.Pointer(&buf[f.margin*block])
	f.s.pixels(t, 1, p.cols)
	at := n*d.image + (p.y+j*f.s.step)*d.row + p.x
	if f.taps > 0 {
		f.columns(at, buf, worker)
	} else {
		f.lanes(at, buf, p.cols)
	}
}

// lanes finishes a row whose lanes are channels.
func (f *fold) lanes(at int, buf []float32, cols int) {
	for c := range f.s.dst.c {
		for i := range cols {
			f.finish(at+c*f.s.dst.plane+i*f.s.step, buf[i*block+c])
		}
	}
}

// columns finishes a row whose lanes are columns of the kernel and channels.
func (f *fold) columns(at int, buf []float32, worker int) {
	d, op := &f.s.dst, &f.s.op
	a := &f.args[worker*tilePad]
	*a = asm.ConvFold{
		Src:      unsafe.Pointer(&buf[(f.margin+f.s.conv.spec.Pad)*block]),
		Taps:     f.taps,
		Step:     4 * (d.c - block), // one pixel to the left, one column's channels further on
		Channels: d.c,
		Pixels:   d.w,
	}
	if op.sign == nil && op.residual == nil {
		a.Dst, a.Plane = unsafe.Pointer(&op.raw.data[at]), 4*d.plane
		f.s.kernels.Fold(a)
		*a = asm.ConvFold{}
		return
	}
	a.Dst, a.Plane = unsafe.Pointer(&buf[f.folded]), 4*d.w
	f.s.kernels.Fold(a)
	*a = asm.ConvFold{}
	for c := range d.c {
		for x, v := range buf[f.folded+c*d.w:][:d.w] {
			f.finish(at+c*d.plane+x, v)
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
