package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// paramGrad is the planned gradient of a convolution's parameters: for each tap, input
// channel and output channel a sum over all pixels of all images. Parts are groups of
// output channels × planes of the input × chunks of images, fixed by shapes alone. Each
// has sums of its own, which are added up in the order of the chunks, so results don't
// depend on the number of threads.
type paramGrad struct {
	conv    *conv
	kernels *asm.Conv
	x, dy   *source
	taps    []int // first floats read in a plane of x, from the window's pixel
	depth   int   // neighbouring floats read there: 16 channels, or a row of taps
	lanes   int   // of all groups
	groups  int
	window  bool // use the window kernel
	rows    int  // of dy at a time, so that what is read stays in the level 1 cache

	planesPart int // planes of x in a part
	groupsPart int // groups in a part
	chunks     int // of images; fewer if there are fewer images
	sums       []float32
	chunkSize  int
	ones       []float32
	args       []asm.ConvOuter // by worker, tilePad apart
	call       gradCall
}

const (
	// gradParts is how many parts a gradient has at least, where images allow.
	gradParts = 64
	// gradSums is the most floats that the sums of all chunks may take (32 MiB), if
	// one chunk alone takes less.
	gradSums = 8 << 20
	// gradPixels is how many pixels of dy are worked on for all taps in turn.
	gradPixels = 64
)

func newParamGrad(c *conv, kernels *asm.Conv) *paramGrad {
	s := c.spec
	taps := forwardTaps(s.Kernel, s.Pad)
	loY, hiY := reach(taps, c.y.h, s.Stride, s.H)
	loX, hiX := reach(taps, c.y.w, s.Stride, s.W)
	p := &paramGrad{conv: c, kernels: kernels, depth: block}
	p.x = newSource(c.x, max(loY, loX), max(hiY, hiX), false, c.d)
	p.dy = newSource(c.y, 1, 1, true, c.d)
	p.window = kernels.HasWindow() && p.x.blocked && p.dy.planes == 1 && s.Kernel == 3 && s.Stride == 1 && s.Pad == 1
	if !p.x.blocked {
		p.depth = s.Kernel
		taps = taps[:1]
	}
	for ky := range s.Kernel {
		for _, tx := range taps {
			p.taps = append(p.taps, (ky-s.Pad)*p.x.row+tx.off*p.x.pixel)
		}
	}
	p.lanes = p.dy.planes * block
	p.groups = (p.dy.planes + kernels.Blocks - 1) / kernels.Blocks
	p.rows = max(1, gradPixels/c.y.w)
	p.divide()
	p.ones = p.conv.d.alloc(block)
	for i := range p.ones {
		p.ones[i] = 1
	}
	p.args = make([]asm.ConvOuter, c.d.workers.n*tilePad)
	return p
}

// divide chooses the parts.
func (p *paramGrad) divide() {
	p.planesPart, p.groupsPart = min(4, max(1, p.groups*p.x.planes/gradParts)), 1
	if p.x.copied() || p.dy.copied() {
		p.planesPart, p.groupsPart = p.x.planes, p.groups
	}
	p.chunkSize = p.x.planes*p.planeSize()*p.lanes + p.lanes
	p.chunks = (gradParts + p.splits() - 1) / p.splits()
	p.chunks = max(1, min(p.chunks, gradSums/p.chunkSize))
	p.sums = p.conv.d.alloc(p.chunks * p.chunkSize)
}

// planeSize is the number of sums a plane of x and an output channel have.
func (p *paramGrad) planeSize() int { return len(p.taps) * p.depth }

// splits is the number of parts a chunk of images has.
func (p *paramGrad) splits() int {
	return ((p.groups + p.groupsPart - 1) / p.groupsPart) * p.planeParts()
}

func (p *paramGrad) planeParts() int { return (p.x.planes + p.planesPart - 1) / p.planesPart }

func (p *paramGrad) name() string {
	if p.window {
		return "outer-" + p.conv.d.isa.String() + "-window"
	}
	return "outer-" + p.conv.d.isa.String()
}

// blocks is the width of group g in 16-lane blocks.
func (p *paramGrad) blocks(g int) int {
	return min(p.kernels.Blocks, p.dy.planes-g*p.kernels.Blocks)
}

// width is the number of lanes of group g, first the number of the groups before it.
func (p *paramGrad) width(g int) (first, width int) {
	return g * p.kernels.Blocks * block, p.blocks(g) * block
}

// run computes one call.
func (p *paramGrad) run(call gradCall) {
	p.call = call
	chunks := min(p.chunks, call.n)
	p.conv.d.workers.run(chunks*p.splits(), p)
	p.conv.d.workers.run(p.groups*p.x.planes, (*gradTotal)(p))
	p.call = gradCall{}
}

// part implements region.
func (p *paramGrad) part(i, worker int) {
	chunks := min(p.chunks, p.call.n)
	chunk, i := i/p.splits(), i%p.splits()
	groups := span{i / p.planeParts() * p.groupsPart, 0}
	groups.hi = min(groups.lo+p.groupsPart, p.groups)
	planes := span{i % p.planeParts() * p.planesPart, 0}
	planes.hi = min(planes.lo+p.planesPart, p.x.planes)
	for g := groups.lo; g < groups.hi; g++ {
		for c := planes.lo; c < planes.hi; c++ {
			clear(p.sum(chunk, g, c))
		}
		if planes.lo == 0 {
			clear(p.biasSum(chunk, g))
		}
	}
	o := &p.args[worker*tilePad]
	for n := chunk * p.call.n / chunks; n < (chunk+1)*p.call.n/chunks; n++ {
		x, dy := p.x.image(p.call.x, n, worker), p.dy.image(p.call.dy, n, worker)
		for g := groups.lo; g < groups.hi; g++ {
			p.image(o, chunk, g, planes, x, dy)
		}
	}
	*o = asm.ConvOuter{}
}

// sum is where a chunk's sums for a group and a plane of x lie: [tap][depth][lane].
func (p *paramGrad) sum(chunk, g, plane int) []float32 {
	first, width := p.width(g)
	size := p.planeSize() * width
	lo := chunk*p.chunkSize + p.lanes + p.x.planes*p.planeSize()*first + plane*size
	return p.sums[lo : lo+size]
}

// biasSum is where a chunk's sums of dy lie.
func (p *paramGrad) biasSum(chunk, g int) []float32 {
	first, width := p.width(g)
	lo := chunk*p.chunkSize + first
	return p.sums[lo : lo+width]
}

// image adds one image to a chunk's sums for a group and some planes of x.
func (p *paramGrad) image(o *asm.ConvOuter, chunk, g int, planes span, x, dy []float32) {
	b, y, stride := p.blocks(g), &p.conv.y, p.conv.spec.Stride
	origin := g*p.kernels.Blocks*p.dy.plane + p.dy.origin
	o.Cols, o.DYRow, o.DYPlane = y.w, 4*p.dy.row, 4*p.dy.plane
	if planes.lo == 0 && p.call.db != nil {
		o.X, o.XRow, o.XPixel = unsafe.Pointer(&p.ones[0]), 0, 0
		o.DY, o.Acc, o.Rows = unsafe.Pointer(&dy[origin]), unsafe.Pointer(&p.biasSum(chunk, g)[0]), y.h
		p.kernels.Outer(o, b, 1)
	}
	o.XRow, o.XPixel = 4*stride*p.x.row, 4*stride*p.x.pixel
	for row := 0; row < y.h; row += p.rows {
		o.Rows = min(p.rows, y.h-row)
		for c := planes.lo; c < planes.hi; c++ {
			sum := p.sum(chunk, g, c)
			from := c*p.x.plane + p.x.origin + row*stride*p.x.row
			if p.window {
				p.windows(o, x[from-p.x.row:], dy[origin+row*p.dy.row-block:], sum)
				continue
			}
			for t, off := range p.taps {
				o.X = unsafe.Pointer(&x[from+off])
				o.DY = unsafe.Pointer(&dy[origin+row*p.dy.row])
				o.Acc = unsafe.Pointer(&sum[t*p.depth*b*block])
				p.kernels.Outer(o, b, p.depth)
			}
		}
	}
}

// windows adds some rows to the sums of one plane, from the first pixel of the row of x
// above them and the zero pixel before their dy. A window kernel has the three columns of the taps
// at once: it takes them from dy, as x has one pixel for each of dy here.
func (p *paramGrad) windows(o *asm.ConvOuter, x, dy, sum []float32) {
	o.AccTap = 4 * block * block
	for ky := range 3 {
		o.X = unsafe.Pointer(&x[ky*p.x.row])
		o.DY = unsafe.Pointer(&dy[0])
		o.Acc = unsafe.Pointer(&sum[3*ky*block*block])
		p.kernels.OuterWindow(o, block)
	}
}
