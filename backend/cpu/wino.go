package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// wino is a planned Winograd convolution F(4×4,3×3) for a forward pass or an input
// gradient, with the epilogues of asm.WinoOutput: see asm.WinoInput for the arithmetic.
//
// Tiles are numbered across images. A part is a block of neighbouring tiles: its inputs
// are transformed for all channels at once, then for each group of output channels come
// the products of the 36 points and the transform back. Everything between x and y stays
// in the level 2 cache. Every output is computed in one part with a sum in a fixed order,
// so results depend neither on the blocks nor on threads.
type wino struct {
	conv       *conv
	kernels    *asm.Wino
	src, dst   geometry
	transposed bool // an input gradient

	tiling
	groups int // of kernels.Blocks·16 output lanes; the last may be narrower
	vPoint int // floats from one point of V to the next
	mPoint int // floats from one point of M to the next

	weights layout
	u       []float32 // [group][point][source channel][lane]
	bias    []float32 // by lane
	packed  bool
	params  uint64 // the device's count when u was computed

	args     []winoArgs // by worker
	op       operands
	perBlock int // tiles of a block, in this call
}

// winoArgs are a worker's kernel arguments, out of reach of the next one's prefetcher.
type winoArgs struct {
	input   asm.WinoInput
	product asm.WinoProduct
	output  asm.WinoOutput
	_       [256]byte
}

// winoFits reports whether the algorithm can compute a layer: a 3×3 window on feature
// maps whose tiles cover the image exactly, so that what a tile reads around it is image
// or halo.
func winoFits(c *conv) bool {
	s := &c.spec
	return s.Kernel == 3 && s.Stride == 1 && s.Pad == 1 && c.x.blocked && c.y.blocked &&
		s.H%asm.WinoTile == 0 && s.W%asm.WinoTile == 0
}

// newWino plans y = x∗w + b, or its transpose without bias: the same with the window
// turned around.
func newWino(c *conv, transposed bool) *wino {
	s := c.spec
	p := &wino{conv: c, kernels: asm.WinoFor(c.d.isa), src: c.x, dst: c.y, transposed: transposed}
	p.weights = layout{src: 9, dst: 9 * s.InC, srcs: s.InC, dsts: s.OutC}
	if transposed {
		p.src, p.dst = c.y, c.x
		p.weights = layout{src: 9 * s.InC, dst: 9, srcs: s.OutC, dsts: s.InC}
	}
	p.tiling = newTiling(&p.dst)
	p.groups = (p.dst.blocks + p.kernels.Blocks - 1) / p.kernels.Blocks
	p.vPoint = oddLines(winoBlock * p.src.blocks * block)
	p.mPoint = oddLines(winoBlock * p.kernels.Blocks * block)
	p.u = aligned(asm.WinoPoints * p.src.blocks * block * p.dst.blocks * block)
	p.bias = aligned(p.dst.blocks * block)
	p.args = make([]winoArgs, c.d.workers.n)
	c.d.scratch.reserve(asm.WinoPoints * (p.vPoint + p.mPoint))
	return p
}

// winoBlock is how many tiles are worked on at a time. Half or double is a little slower or
// no faster for all layers from 16 to 640 channels.
const winoBlock = 32

// winoBlockFor is the size of blocks that share the tiles out evenly to threads. It is
// whole groups of the widest product kernel.
func winoBlockFor(tiles, threads int) int {
	const group = 8
	blocks := (tiles + winoBlock - 1) / winoBlock
	if blocks < 8*threads {
		blocks = (blocks + threads - 1) / threads * threads
	}
	size := (tiles + blocks - 1) / blocks
	return (size + group - 1) / group * group
}

// oddLines rounds a number of floats up to an odd number of cache lines. A power of two
// between points would put all 36 into one set of the level 1 cache.
func oddLines(n int) int {
	const line = 16
	return ((n+line-1)/line | 1) * line
}

// blocks is the width of group g in 16-lane blocks.
func (p *wino) blocks(g int) int {
	return min(p.kernels.Blocks, p.dst.blocks-g*p.kernels.Blocks)
}

// panel is where the weights of a group begin in u.
func (p *wino) panel(g int) int {
	return g * p.kernels.Blocks * block * asm.WinoPoints * p.src.blocks * block
}

func (p *wino) name() string { return "winograd-" + p.conv.d.isa.String() }

// run computes one call.
func (p *wino) run(op operands) {
	d := p.conv.d
	if !p.packed || p.params != d.params {
		d.workers.run(p.groups*p.src.blocks, (*winoPacking)(p))
		if p.conv.b != nil && !p.transposed {
			copy(p.bias, p.conv.b.data)
		}
		p.packed, p.params = true, d.params
	}
	p.op = op
	tiles := op.n * p.tiles
	p.perBlock = winoBlockFor(tiles, d.workers.n)
	d.workers.run((tiles+p.perBlock-1)/p.perBlock, p)
	p.op = operands{}
}

// part implements region.
func (p *wino) part(i, worker int) {
	tiles := span{i * p.perBlock, min((i+1)*p.perBlock, p.op.n*p.tiles)}
	v := p.conv.d.scratch.worker[worker]
	m := v[asm.WinoPoints*p.vPoint:]
	a := &p.args[worker]
	p.input(&a.input, tiles, v)
	for g := range p.groups {
		p.product(&a.product, g, tiles, v, m)
		p.output(&a.output, g, tiles, m)
	}
	*a = winoArgs{}
}

// input transforms tiles of the source into v.
func (p *wino) input(a *asm.WinoInput, tiles span, v []float32) {
	a.XRow, a.XPlane = 4*p.src.row, 4*p.src.plane
	a.VPoint, a.VBlock = 4*p.vPoint, 4*block*p.perBlock
	for t := tiles.lo; t < tiles.hi; t += a.Tiles {
		count, image, y, x := p.row(span{t, tiles.hi})
		a.Tiles, a.Blocks = count, p.src.blocks
		// The first tile reads from the row above and the pixel before: no origin.
		a.X = unsafe.Pointer(&p.op.src.data[image*p.src.image+y*p.src.row+x*block])
		a.V = unsafe.Pointer(&v[(t-tiles.lo)*block])
		p.kernels.Input(a)
	}
}

// product multiplies all points of a block with the weights of a group. Meanwhile it
// prefetches what the outputs of this block and the inputs of the next one need.
func (p *wino) product(a *asm.WinoProduct, g int, tiles span, v, m []float32) {
	blocks, count := p.blocks(g), tiles.hi-tiles.lo
	a.VBlock, a.Blocks = 4*block*p.perBlock, p.src.blocks
	u := p.u[p.panel(g):]
	next := p.aheadOf(p.op.src, span{tiles.hi, min(tiles.hi+count, p.op.n*p.tiles)}, span{0, p.src.blocks})
	dests, n := p.dests(g, tiles)
	steps := p.kernels.Steps(p.src.blocks, blocks, count)
	for point := range asm.WinoPoints {
		a.V = unsafe.Pointer(&v[point*p.vPoint])
		a.U = unsafe.Pointer(&u[point*p.src.blocks*block*blocks*block])
		a.M = unsafe.Pointer(&m[point*p.mPoint])
		a.Next, a.NextStep = next.share(g*asm.WinoPoints+point, p.groups*asm.WinoPoints, steps, a.U)
		if n > 0 {
			a.Dest, a.DestStep = dests[point%n].share(point/n, asm.WinoPoints/n, steps, a.U)
		}
		p.kernels.Product(a, blocks, count)
	}
}

// dests is the memory that the output transform of a group touches, for up to three
// operands.
func (p *wino) dests(g int, tiles span) (all [3]ahead, n int) {
	first := g * p.kernels.Blocks
	planes := span{first, first + p.blocks(g)}
	op := &p.op
	for _, t := range [...]*tensor{op.raw, op.act, op.sign, op.residual} {
		if t != nil && n < len(all) && !(t == op.residual && op.residual == op.raw) {
			all[n] = p.aheadOf(t, tiles, planes)
			n++
		}
	}
	return all, n
}

// output transforms the products of a group back and finishes the outputs.
func (p *wino) output(a *asm.WinoOutput, g int, tiles span, m []float32) {
	blocks, first := p.blocks(g), g*p.kernels.Blocks
	a.MPoint, a.MTile = 4*p.mPoint, 4*block*blocks
	a.Row, a.Plane = 4*p.dst.row, 4*p.dst.plane
	a.Bias, a.Slope = unsafe.Pointer(&p.bias[first*block]), p.conv.spec.Slope
	for t := tiles.lo; t < tiles.hi; t += a.Tiles {
		count, image, y, x := p.row(span{t, tiles.hi})
		a.Tiles, a.Blocks = count, blocks
		a.M = unsafe.Pointer(&m[(t-tiles.lo)*block*blocks])
		at := image*p.dst.image + first*p.dst.plane + p.dst.origin + y*p.dst.row + x*block
		a.Raw = float(p.op.raw, at)
		a.Act = float(p.op.act, at)
		a.Residual = float(p.op.residual, at)
		a.Sign = float(p.op.sign, at)
		p.kernels.Output(a)
	}
}
