package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// fold brings a sweep's output to a planar tensor of fewer than 16 channels. The sweep
// writes one image at a time to blocked scratch memory, fold takes it from there.
//
// In the gradient of a first layer (stride 1) the lanes hold (tap, channel) pairs: the
// sweep multiplies each pixel of dy by the weights of all taps, as a 1×1 convolution, and
// the taps are summed here, shifted. For 3×3 and three channels that is 32 lanes × 1 tap
// instead of 16 lanes × 9 taps, most of them padding.
type fold struct {
	s      *sweep
	perTap int   // taps side by side in a block of lanes; 0: lanes are channels
	taps   int   // of the window
	offs   []int // bytes from a pixel of the result to its terms in scratch
	row    int   // strides of scratch in floats
	plane  int
	origin int
	memory [][]float32    // by worker: blocked scratch, then a folded row
	folded int            // where that begins
	args   []asm.ConvFold // by worker, tilePad apart
}

func newFold(s *sweep, from geometry) *fold {
	spec := &s.conv.spec
	k, pad := spec.Kernel, spec.Pad
	f := &fold{s: s, offs: []int{0}}
	h, w, margin := s.dst.h, s.dst.w, 0
	if s.transposed && s.step == 1 && k > 1 {
		f.perTap, f.taps = block/s.dst.c, k*k
		s.lanes = (f.taps + f.perTap - 1) / f.perTap * block
		// dx[x] sums what column kx has at x + pad − kx.
		h, w, margin = from.h, from.w, max(0, k-1-pad)
		one := []tap{{0, 0}}
		s.phases = []phase{{rows: h, cols: w, tapsY: one, tapsX: one}}
	}
	f.row = (margin + w + margin) * block
	f.plane = (margin + h + margin) * f.row
	f.origin = margin * (f.row + block)
	if f.taps > 0 {
		f.offs = f.shifts(k, pad)
	}
	workers := s.conv.d.workers.n
	f.folded = s.lanes/block*f.plane + block
	f.memory = s.conv.d.arenas(f.folded + s.dst.c*s.dst.w)
	f.args = make([]asm.ConvFold, workers*tilePad)
	return f
}

// shifts are the offsets of all taps' terms.
func (f *fold) shifts(k, pad int) []int {
	var offs []int
	for t := range f.taps {
		at := t/f.perTap*f.plane + t%f.perTap*f.s.dst.c
		offs = append(offs, 4*(at+(pad-t/k)*f.row+(pad-t%k)*block))
	}
	return offs
}

// lane says which tap and channel a lane holds.
func (f *fold) lane(i int) (t, channel int, ok bool) {
	t, channel = i%block/f.s.dst.c, i%block%f.s.dst.c
	ok = t < f.perTap
	t += i / block * f.perTap
	return t, channel, ok && t < f.taps
}

// aim points the kernel to scratch for row j of a phase and group g.
func (f *fold) aim(t *asm.ConvTile, p *phase, g, j, worker int) {
	at := f.origin + g*f.s.kernels.Blocks*f.plane + (p.y+j*f.s.step)*f.row + p.x*block
	t.Raw = unsafe.Pointer(&f.memory[worker][at])
	t.Plane = 4 * f.plane
}

// image finishes image n from scratch.
func (f *fold) image(n, worker int) {
	d, op := &f.s.dst, &f.s.op
	plain := op.act == nil && op.sign == nil && op.residual == nil
	from, to := f.memory[worker], f.memory[worker][f.folded:]
	a := &f.args[worker*tilePad]
	for y := range d.h {
		*a = asm.ConvFold{
			Src: unsafe.Pointer(&from[f.origin+y*f.row]),
			Dst: unsafe.Pointer(&to[0]), Plane: 4 * d.w,
			Offs: unsafe.Pointer(&f.offs[0]), NumOffs: len(f.offs),
			Channels: d.c, Pixels: d.w,
		}
		at := n*d.image + y*d.row
		if plain {
			a.Dst, a.Plane = unsafe.Pointer(&op.raw.data[at]), 4*d.plane
		}
		f.s.kernels.Fold(a)
		for c := 0; c < d.c && !plain; c++ {
			for x, v := range to[c*d.w:][:d.w] {
				f.finish(at+c*d.plane+x, v)
			}
		}
	}
	*a = asm.ConvFold{}
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
