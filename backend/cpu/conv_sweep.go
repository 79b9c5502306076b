package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// sweep is a planned direct convolution from images src to images dst, with the
// epilogues of asm.ConvTile. It is the region of its own parts: a part is some rows of
// some groups of output channels of one image.
type sweep struct {
	conv       *conv
	kernels    *asm.Conv
	src        *source
	dst        geometry
	transposed bool // an input gradient
	strided    int  // distance of neighbouring windows in src
	step       int  // distance of a phase's neighbouring outputs in dst
	phases     []phase
	fold       *fold // nil if dst is blocked

	lanes  int  // output lanes, a multiple of 16
	groups int  // of kernels.Blocks·16 lanes; the last may be narrower
	window bool // use window kernels

	weights layout    // of the tensor w
	bias    []float32 // by lane
	packed  bool
	params  uint64 // the device's count when weights were packed

	tiles []asm.ConvTile // by worker, tilePad apart
	cut   cut
	op    operands
}

// tilePad keeps the workers' tile arguments apart in memory.
const tilePad = 8

// newForward plans y = x∗w + b.
func newForward(c *conv, kernels *asm.Conv) *sweep {
	s := c.spec
	kh, kw := s.Window()
	ph, pw := s.Padding()
	sw := &sweep{conv: c, kernels: kernels, dst: c.y, strided: s.Stride, step: 1}
	sw.weights = layout{src: kh * kw, dst: s.InC * kh * kw, row: kw, srcs: s.InC, dsts: s.OutC}
	sw.phases = []phase{{rows: c.y.h, cols: c.y.w, tapsY: forwardTaps(kh, ph), tapsX: forwardTaps(kw, pw)}}
	sw.plan(c.x)
	return sw
}

// newInputGrad plans the transpose without bias: the same window turned around, split
// by the outputs' position between strides.
func newInputGrad(c *conv, kernels *asm.Conv) *sweep {
	s := c.spec
	sw := &sweep{conv: c, kernels: kernels, dst: c.x, transposed: true, strided: 1, step: s.Stride}
	sw.weights = layout{src: s.InC * s.Kernel * s.Kernel, dst: s.Kernel * s.Kernel, row: s.Kernel, srcs: s.OutC, dsts: s.InC}
	for y := range min(s.Stride, s.H) {
		for x := range min(s.Stride, s.W) {
			sw.phases = append(sw.phases, phase{
				y: y, x: x,
				rows:  (s.H - y + s.Stride - 1) / s.Stride,
				cols:  (s.W - x + s.Stride - 1) / s.Stride,
				tapsY: gradTaps(s.Kernel, s.Pad, s.Stride, y),
				tapsX: gradTaps(s.Kernel, s.Pad, s.Stride, x),
			})
		}
	}
	sw.plan(c.y)
	return sw
}

// plan fills in what follows from the phases and the geometry of the source.
func (s *sweep) plan(from geometry) {
	workers := s.conv.d.workers.n
	s.lanes = (s.dst.c + block - 1) / block * block
	if !s.dst.blocked {
		s.fold = newFold(s, from)
	}
	s.groups = (s.lanes + s.kernels.Blocks*block - 1) / (s.kernels.Blocks * block)
	lo, hi := 0, 0
	for _, p := range s.phases {
		l, h := reach(p.tapsY, p.rows, s.strided, from.h)
		lo, hi = max(lo, l), max(hi, h)
		l, h = reach(p.tapsX, p.cols, s.strided, from.w)
		lo, hi = max(lo, l), max(hi, h)
	}
	s.src = newSource(from, lo, hi, false, s.conv.d)
	s.window = s.kernels.HasWindow() && s.lanes == block && s.strided == 1 && s.step == 1 && len(s.phases[0].tapsX) == 3
	for i := range s.phases {
		s.phases[i].plan(s)
	}
	s.bias = s.conv.d.alloc(s.lanes)
	s.tiles = make([]asm.ConvTile, workers*tilePad)
	s.cut = newCut(s)
}

// blocks is the width of group g in 16-lane blocks.
func (s *sweep) blocks(g int) int {
	return min(s.kernels.Blocks, s.lanes/block-g*s.kernels.Blocks)
}

func (s *sweep) name() string {
	name := "direct-" + s.conv.d.isa.String()
	switch {
	case s.fold != nil && s.fold.taps > 0:
		name += "-fold"
	case s.window:
		name += "-window"
	}
	return name
}

// ready implements pass.
func (s *sweep) ready() {
	d := s.conv.d
	if s.packed && s.params == d.params {
		return
	}
	d.workers.run(len(s.phases)*s.groups, (*packing)(s))
	s.packBias()
	s.packed, s.params = true, d.params
}

// run implements pass.
func (s *sweep) run(op operands) {
	d := s.conv.d
	s.op = op
	d.workers.run(s.cut.parts(op.n), s)
	s.op = operands{}
}

// part implements region.
func (s *sweep) part(i, worker int) {
	n, groups, rows := s.cut.at(i, s.op.n)
	t := &s.tiles[worker*tilePad]
	img := s.src.image(s.op.src, n, worker)
	for g := groups.lo; g < groups.hi; g++ {
		for i := range s.phases {
			p := &s.phases[i]
			s.prepare(t, p, g)
			for j := rows.lo; j < min(rows.hi, p.rows); j++ {
				t.X = unsafe.Pointer(&img[s.src.origin])
				if len(p.offs) > 0 {
					t.X = unsafe.Pointer(&img[s.src.origin+j*s.strided*s.src.row+p.start])
				}
				if s.fold != nil {
					s.fold.aim(t, p, g, j, worker)
				} else {
					s.aim(t, p, n, g, j)
				}
				s.pixels(t, s.blocks(g), p.cols)
			}
		}
	}
	if s.fold != nil {
		s.fold.image(n, worker)
	}
	*t = asm.ConvTile{}
}

// prepare sets the arguments that stay for all rows of a phase and group.
func (s *sweep) prepare(t *asm.ConvTile, p *phase, g int) {
	width := s.kernels.Blocks * block
	t.W = unsafe.Pointer(&p.packed[g*width*p.depth])
	t.Offs = unsafe.Pointer(unsafe.SliceData(p.offs))
	t.NumOffs = len(p.offs)
	t.Inner = p.inner
	t.XPixel = 4 * s.strided * s.src.pixel
	t.Pixel = 4 * s.step * block
	t.Plane = 4 * s.dst.plane
	t.Bias = unsafe.Pointer(&s.bias[g*width])
	t.Slope = s.conv.spec.Slope
}

// aim points the kernel to row j of a phase and group g of the outputs.
func (s *sweep) aim(t *asm.ConvTile, p *phase, n, g, j int) {
	d := &s.dst
	at := n*d.image + g*s.kernels.Blocks*d.plane + d.origin + (p.y+j*s.step)*d.row + p.x*block
	t.Raw = float(s.op.raw, at)
	t.Act = float(s.op.act, at)
	t.Residual = float(s.op.residual, at)
	t.Sign = float(s.op.sign, at)
}

// pixels runs the kernel over a row.
func (s *sweep) pixels(t *asm.ConvTile, blocks, cols int) {
	if s.window {
		s.kernels.Window(t, cols)
	} else {
		s.kernels.Row(t, blocks, cols)
	}
}

// float points to element i of t's memory, nil if t is nil.
func float(t *tensor, i int) unsafe.Pointer {
	if t == nil {
		return nil
	}
	return unsafe.Pointer(&t.data[i])
}
