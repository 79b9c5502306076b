package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// wino is a planned Winograd convolution F(4×4,3×3) for a forward pass or an input
// gradient, with the epilogues of asm.WinoOutput: see asm.WinoInput for the arithmetic,
// asm.WinoPhases for that of stride 2.
//
// Tiles are numbered across images. A part is a block of neighbouring tiles: its inputs
// are transformed for all channels at once, then for each group of output channels come
// the products of all points and the transform back. Everything between x and y stays
// in the level 2 cache. Every output is computed in one part with a sum in a fixed order,
// so results depend neither on the blocks nor on threads.
type wino struct {
	conv       *conv
	kernels    *asm.Wino
	src, dst   geometry
	transposed bool // an input gradient

	tiling
	form
	groups int // of kernels.Blocks·16 output lanes; the last may be narrower
	most   int // tiles of a block
	vSize  int // of V, in 4 bytes
	mPoint int // floats from one point of M to the next

	weights layout
	u       []float32 // [group][weight's place + source channel][lane], kernels.Width bytes each
	bias    []float32 // by lane
	packed  bool
	params  uint64 // the device's count when u was computed
	apart   []int  // where winoPairing has a block's weights of each product, in bytes

	args     []winoArgs // by worker
	op       operands
	perBlock int // tiles of a block, in this call
}

// winoArgs are a worker's kernel arguments, out of reach of the next one's prefetcher.
type winoArgs struct {
	input   asm.WinoInput
	phases  asm.WinoPhases
	product asm.WinoProduct
	output  asm.WinoOutput
	windows asm.WinoWindows
	pairs   asm.WinoPairs
	_       [256]byte
}

// newWino plans y = x∗w + b, or its transpose without bias: the same with the window
// turned around.
func newWino(c *conv, transposed bool, kernels *asm.Wino) *wino {
	s := c.spec
	p := &wino{conv: c, kernels: kernels, src: c.x, dst: c.y, transposed: transposed, tiling: newTiling(&c.y, kernels.Tile)}
	p.weights = layout{src: 9, dst: 9 * s.InC, srcs: s.InC, dsts: s.OutC}
	if transposed {
		p.src, p.dst = c.y, c.x
		p.weights = layout{src: 9 * s.InC, dst: 9, srcs: s.OutC, dsts: s.InC}
	}
	p.groups = (p.dst.blocks + p.kernels.Blocks - 1) / p.kernels.Blocks
	p.most = p.blockSize()
	p.mPoint = oddLines(p.most * p.kernels.Blocks * block)
	switch {
	case s.Stride == 1:
		p.plain()
	case transposed:
		p.stridedGrad()
	default:
		p.strided()
	}
	for blocks := 1; blocks <= p.kernels.Blocks; blocks++ {
		for _, row := range p.places {
			p.bytes[blocks] = append(p.bytes[blocks], kernels.Width*row*blocks*block)
		}
	}
	if kernels.Pairs != nil {
		for i := range p.places {
			p.apart = append(p.apart, 4*i*block*block)
		}
	}
	p.u = c.d.alloc(p.panel(p.groups))
	p.bias = c.d.alloc(p.dst.blocks * block)
	p.args = make([]winoArgs, c.d.workers.n)
	c.d.scratch.reserve(max(p.vSize+p.mostPoints()*p.mPoint, p.packingSize()))
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

// panel is where the weights of a group begin in u; all have that of the group after the
// last.
func (p *wino) panel(g int) int {
	return p.stored(min(g*p.kernels.Blocks, p.dst.blocks) * block * len(p.places) * p.src.blocks * block)
}

// stored is how many floats take the memory of n transformed numbers.
func (p *wino) stored(n int) int { return n * p.kernels.Width / 4 }

// name tells a precision below float32 and wide tiles apart.
func (p *wino) name() string {
	switch {
	case p.kernels.Width < 4:
		return "winograd-bf16-" + p.conv.d.isa.String()
	case p.wide():
		return "winograd8-" + p.conv.d.isa.String()
	}
	return "winograd-" + p.conv.d.isa.String()
}

// ready implements pass.
func (p *wino) ready() {
	if p.packed && p.params == p.conv.d.params {
		return
	}
	p.pack()
	if p.conv.b != nil && !p.transposed {
		copy(p.bias, p.conv.b.data)
	}
	p.packed, p.params = true, p.conv.d.params
}

// run implements pass.
func (p *wino) run(op operands) {
	d := p.conv.d
	p.op = op
	tiles := op.n * p.tiles
	p.perBlock = p.most
	if !p.wide() {
		p.perBlock = winoBlockFor(tiles, d.workers.n)
	}
	if p.offs != nil {
		p.place()
	}
	d.workers.run((tiles+p.perBlock-1)/p.perBlock, p)
	p.op = operands{}
}

// part implements region.
func (p *wino) part(i, worker int) {
	tiles := span{i * p.perBlock, min((i+1)*p.perBlock, p.op.n*p.tiles)}
	v := p.conv.d.scratch.worker[worker]
	m := v[p.vSize:]
	a := &p.args[worker]
	p.input(a, tiles, v)
	for g := range p.groups {
		for i := range p.phases {
			p.product(&a.product, g, &p.phases[i], tiles, v, m)
			p.output(&a.output, g, &p.phases[i], tiles, m)
		}
	}
	*a = winoArgs{}
}

// input transforms tiles of the source into v.
func (p *wino) input(a *winoArgs, tiles span, v []float32) {
	in, phases := &a.input, &a.phases
	in.XRow, in.XPlane, in.VPoint, in.VBlock = 4*p.src.row, 4*p.src.plane, 4*p.vPoint, p.kernels.Width*block*p.perBlock
	if p.offs != nil {
		*phases = asm.WinoPhases{XRow: in.XRow, XPlane: in.XPlane, VBlock: in.VBlock, Offs: unsafe.Pointer(&p.offs[0])}
	}
	for t := tiles.lo; t < tiles.hi; t += in.Tiles {
		count, image, y, x := p.row(span{t, tiles.hi})
		in.Tiles, in.Blocks = count, p.src.blocks
		in.X = unsafe.Pointer(&p.op.src.data[image*p.src.image+p.first+(y*p.src.row+x*block)*p.srcTile])
		in.V = unsafe.Pointer(&v[p.stored((t-tiles.lo)*block)])
		if p.offs != nil {
			phases.X, phases.V, phases.Tiles, phases.Blocks = in.X, in.V, in.Tiles, in.Blocks
			p.kernels.Phases(phases)
		} else {
			p.transform(in)
		}
	}
}

// product multiplies all points of a phase with the weights of a group. Meanwhile it
// prefetches what the outputs of this block and the inputs of the next one need.
func (p *wino) product(a *asm.WinoProduct, g int, phase *winoPhase, tiles span, v, m []float32) {
	blocks, count := p.blocks(g), tiles.hi-tiles.lo
	a.VBlock = p.kernels.Width * block * p.perBlock
	u := p.u[p.panel(g):]
	nextTiles, points := span{tiles.hi, min(tiles.hi+count, p.op.n*p.tiles)}, len(p.points)
	next := p.aheadOf(p.op.src, nextTiles, span{0, p.src.blocks}).walk(g*points+phase.points.lo, p.groups*points)
	dests, n := p.dests(g, tiles)
	if len(p.phases) > 1 { // too late for the first phase: the next group's
		if g+1 < p.groups {
			dests, n = p.dests(g+1, tiles)
		} else {
			dests, n = p.dests(0, nextTiles)
		}
	}
	var dest [len(dests)]walk
	for k := range n {
		dest[k] = dests[k].walk((phase.points.lo+n-1-k)/n, points/n)
	}
	split := p.kernels.Split(blocks, count)
	for i := phase.points.lo; i < phase.points.hi; i++ {
		point := &p.points[i]
		a.V = unsafe.Pointer(&v[point.v])
		a.U = unsafe.Pointer(&u[p.stored(point.u*blocks*block)])
		a.M = unsafe.Pointer(&m[(i-phase.points.lo)*p.mPoint])
		a.Blocks = point.blocks
		steps := p.kernels.Steps(a, &split)
		a.Next, a.NextStep = next.next(steps, a.U)
		a.Dest, a.DestStep = dest[i%n].next(steps, a.U)
		p.kernels.Product(a, &split)
	}
}

// dests is the memory that the output transform of a group touches, for one to three
// operands.
func (p *wino) dests(g int, tiles span) (all [3]ahead, n int) {
	first := g * p.kernels.Blocks
	planes := span{first, first + p.blocks(g)}
	op := &p.op
	residual := op.residual
	if residual == op.raw {
		residual = nil // in place
	}
	for _, t := range [...]*tensor{op.raw, op.act, op.sign, residual} {
		if t != nil && n < len(all) {
			all[n] = p.aheadOf(t, tiles, planes)
			n++
		}
	}
	return all, n
}

// output transforms the products of a phase and group back and finishes the outputs.
func (p *wino) output(a *asm.WinoOutput, g int, phase *winoPhase, tiles span, m []float32) {
	blocks, first := p.blocks(g), g*p.kernels.Blocks
	step := p.dstTile / p.kernels.Tile
	a.MPoint, a.MTile = 4*p.mPoint, 4*block*blocks
	a.Row, a.Plane = 4*step*p.dst.row, 4*p.dst.plane
	a.Bias, a.Slope = unsafe.Pointer(&p.bias[first*block]), p.conv.spec.Slope
	for t := tiles.lo; t < tiles.hi; t += a.Tiles {
		count, image, y, x := p.row(span{t, tiles.hi})
		y, x = y*p.dstTile+phase.y, x*p.dstTile+phase.x
		a.Tiles, a.Blocks = count, blocks
		a.M = unsafe.Pointer(&m[(t-tiles.lo)*block*blocks])
		at := image*p.dst.image + first*p.dst.plane + p.dst.origin + y*p.dst.row + x*block
		a.Raw = float(p.op.raw, at)
		a.Act = float(p.op.act, at)
		a.Residual = float(p.op.residual, at)
		a.Sign = float(p.op.sign, at)
		phase.output(a)
	}
}
