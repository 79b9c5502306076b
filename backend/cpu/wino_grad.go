package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

// winoGrad is the planned gradient of a 3×3 window's weights by Winograd's F(3×3,4×4): see
// asm.WinoDelta for the arithmetic.
//
// Parts are chunks of the batch's tiles × blocks of input channels × groups of output
// channels, fixed by shapes alone. A part has sums of products of its own, in the level 2
// cache if they fit, and goes through its tiles in blocks: it transforms inputs and output
// gradients, then adds their products to the sums. What the chunks have is added up in
// their order and transformed to the window's gradient, so results don't depend on the
// number of threads.
type winoGrad struct {
	conv    *conv
	kernels *asm.Wino
	x, y    geometry
	tiling
	groups int // of kernels.Blocks·16 output lanes; the last may be narrower

	planesPart int // blocks of input channels in a part
	groupsPart int // groups in a part
	chunks     int // of tiles; fewer if there are few tiles
	perBlock   int // most tiles worked on at a time
	vPoint     int // floats from one point to the next of inputs
	dPoint     int // … of output gradients
	mPoint     int // … of sums
	mGroup     int // … and from one group of sums to the next
	sums       []float32
	bias       []float32 // [chunk][lane]

	args []winoGradArgs // by worker
	call gradCall
}

// winoGradArgs are a worker's kernel arguments, out of reach of the next one's prefetcher.
type winoGradArgs struct {
	input asm.WinoInput
	delta asm.WinoDelta
	outer asm.WinoOuter
	taps  asm.WinoTaps
	_     [256]byte
}

const (
	// winoGradParts is how many parts a gradient has at least, where tiles and channels allow.
	winoGradParts = 16
	// winoGradChunk is how many tiles a chunk has at least: fewer don't make up for adding
	// up the chunks.
	winoGradChunk = 128
	// winoGradFewest is how many tiles a planned batch has at least. A sum over fewer has
	// as large errors as a tile's own (docs/numerics.md).
	winoGradFewest = 4
	// winoGradTiles is how many tiles are worked on at a time: sums are loaded and stored
	// once for so many terms.
	winoGradTiles = 64
)

// winoGradChannels is how many input and output channels a part has at most: 64 of both
// have sums of 590 KB. With 32 transforms take twice their share of the time.
var winoGradChannels = [...]struct{ in, out int }{{64, 64}, {64, 32}, {32, 32}}

func newWinoGrad(c *conv) *winoGrad {
	p := &winoGrad{conv: c, kernels: asm.WinoFor(c.d.isa), x: c.x, y: c.y, tiling: newTiling(&c.y)}
	p.groups = (p.y.blocks + p.kernels.Blocks - 1) / p.kernels.Blocks
	p.divide()
	p.vPoint = oddLines(p.perBlock * p.planesPart * block)
	p.dPoint = oddLines(p.perBlock * p.groupsPart * p.kernels.Blocks * block)
	p.mPoint = oddLines(p.planesPart * block * p.kernels.Blocks * block)
	p.mGroup = asm.WinoPoints * p.mPoint
	if p.chunks > 1 {
		p.sums = c.d.alloc(p.chunks * p.splits() * p.partSums())
	}
	p.bias = c.d.alloc(p.chunks * p.y.blocks * block)
	p.args = make([]winoGradArgs, c.d.workers.n)
	c.d.scratch.reserve(p.scratch(winoGradAll))
	return p
}

// divide chooses the parts.
func (p *winoGrad) divide() {
	p.perBlock = winoGradTiles
	tiles := p.conv.spec.N * p.tiles
	for _, channels := range winoGradChannels {
		p.planesPart = evenly(p.x.blocks, channels.in/block)
		p.groupsPart = evenly(p.groups, channels.out/block/p.kernels.Blocks)
		p.chunks = max(1, min((winoGradParts+p.splits()-1)/p.splits(), tiles/winoGradChunk))
		if p.chunks*p.splits() >= winoGradParts {
			return
		}
	}
}

// evenly is the size of pieces of at most the given size that n things are cut into.
func evenly(n, most int) int {
	pieces := (n + most - 1) / most
	return (n + pieces - 1) / pieces
}

func (p *winoGrad) planeParts() int { return (p.x.blocks + p.planesPart - 1) / p.planesPart }
func (p *winoGrad) splits() int {
	return p.planeParts() * ((p.groups + p.groupsPart - 1) / p.groupsPart)
}

// partSums is the number of floats that a part's sums take.
func (p *winoGrad) partSums() int { return p.groupsPart * p.mGroup }

// blocks is the width of group g in 16-lane blocks.
func (p *winoGrad) blocks(g int) int {
	return min(p.kernels.Blocks, p.y.blocks-g*p.kernels.Blocks)
}

func (p *winoGrad) name() string { return "winograd-" + p.conv.d.isa.String() }

// A worker's scratch memory holds V, D, the windows' gradients of 16 channels and 16
// lanes, and the sums of a part unless they are kept for others.
const (
	winoGradV = iota
	winoGradD
	winoGradW
	winoGradM
	winoGradAll
)

// scratch is where one of them begins.
func (p *winoGrad) scratch(what int) int {
	sizes := [...]int{asm.WinoPoints * p.vPoint, asm.WinoPoints * p.dPoint, 9 * block * block, 0}
	if p.chunks == 1 {
		sizes[winoGradM] = p.partSums()
	}
	at := 0
	for _, n := range sizes[:what] {
		at += n
	}
	return at
}

// run computes one call.
func (p *winoGrad) run(call gradCall) {
	p.call = call
	p.conv.d.workers.run(p.chunksOf(call.n)*p.splits(), p)
	if p.chunks > 1 {
		p.conv.d.workers.run(p.groups*p.x.blocks, (*winoGradTotal)(p))
	}
	p.call = gradCall{}
}

// chunksOf is the number of chunks for n images.
func (p *winoGrad) chunksOf(n int) int { return min(p.chunks, n*p.tiles) }

// split decodes a part's share of input blocks and groups.
func (p *winoGrad) split(i int) (planes, groups span) {
	planes.lo = i % p.planeParts() * p.planesPart
	planes.hi = min(planes.lo+p.planesPart, p.x.blocks)
	groups.lo = i / p.planeParts() * p.groupsPart
	groups.hi = min(groups.lo+p.groupsPart, p.groups)
	return planes, groups
}

// part implements region.
func (p *winoGrad) part(i, worker int) {
	chunk, split := i/p.splits(), i%p.splits()
	planes, groups := p.split(split)
	memory := p.conv.d.scratch.worker[worker]
	m := memory[p.scratch(winoGradM):]
	if p.chunks > 1 {
		m = p.sums[i*p.partSums():]
	}
	if planes.lo == 0 {
		clear(p.biasSum(chunk, groups))
	}
	all, chunks := p.call.n*p.tiles, p.chunksOf(p.call.n)
	tiles := span{chunk * all / chunks, (chunk + 1) * all / chunks}
	size := (evenly(tiles.hi-tiles.lo, p.perBlock) + 3) / 4 * 4
	a := &p.args[worker]
	a.outer.First = 1
	for t := tiles.lo; t < tiles.hi; t += size {
		p.add(a, chunk, span{t, min(t+size, tiles.hi)}, planes, groups, memory, m)
		a.outer.First = 0
	}
	if p.chunks == 1 {
		for g := groups.lo; g < groups.hi; g++ {
			for plane := planes.lo; plane < planes.hi; plane++ {
				p.finish(&a.taps, g, plane, m[(g-groups.lo)*p.mGroup:], memory[p.scratch(winoGradW):])
			}
		}
	}
	*a = winoGradArgs{}
}

// biasSum is where a chunk's sums of the gradients of some groups lie.
func (p *winoGrad) biasSum(chunk int, groups span) []float32 {
	width := p.kernels.Blocks * block
	lanes := p.y.blocks * block
	return p.bias[chunk*lanes+groups.lo*width : chunk*lanes+min(groups.hi*width, lanes)]
}

// add adds some tiles to a part's sums m.
func (p *winoGrad) add(a *winoGradArgs, chunk int, tiles, planes, groups span, memory, m []float32) {
	v, d := memory[p.scratch(winoGradV):], memory[p.scratch(winoGradD):]
	p.input(&a.input, tiles, planes, v)
	p.delta(&a.delta, chunk, tiles, planes, groups, d)
	o := &a.outer
	o.Tiles = tiles.hi - tiles.lo
	o.VBlock, o.DBlock = 4*block*p.perBlock, 4*block*p.perBlock
	steps := (planes.hi - planes.lo) * block / 8 * o.Tiles / 4
	next := span{tiles.hi, min(2*tiles.hi-tiles.lo, p.call.n*p.tiles)}
	first := groups.lo * p.kernels.Blocks
	ahead := [2]ahead{
		p.aheadOf(p.call.x, next, planes),
		p.aheadOf(p.call.dy, next, span{first, min(groups.hi*p.kernels.Blocks, p.y.blocks)}),
	}
	half := (groups.hi - groups.lo) * asm.WinoPoints / 2
	for g := groups.lo; g < groups.hi; g++ {
		for point := range asm.WinoPoints {
			i := (g-groups.lo)*asm.WinoPoints + point
			o.V = unsafe.Pointer(&v[point*p.vPoint])
			o.D = unsafe.Pointer(&d[point*p.dPoint+(g-groups.lo)*p.kernels.Blocks*block*p.perBlock])
			o.M = unsafe.Pointer(&m[(g-groups.lo)*p.mGroup+point*p.mPoint])
			o.Next, o.NextStep = ahead[i%2].share(i/2, half, max(1, steps), o.V)
			o.Blocks = planes.hi - planes.lo
			p.kernels.Outer[p.blocks(g)](o)
		}
	}
}

// input transforms tiles of the given blocks of x.
func (p *winoGrad) input(a *asm.WinoInput, tiles, planes span, v []float32) {
	a.XRow, a.XPlane = 4*p.x.row, 4*p.x.plane
	a.VPoint, a.VBlock = 4*p.vPoint, 4*block*p.perBlock
	for t := tiles.lo; t < tiles.hi; t += a.Tiles {
		count, image, y, x := p.row(span{t, tiles.hi})
		a.Tiles, a.Blocks = count, planes.hi-planes.lo
		// The first tile reads from the row above and the pixel before: no origin.
		a.X = unsafe.Pointer(&p.call.x.data[image*p.x.image+planes.lo*p.x.plane+(y*p.x.row+x*block)*asm.WinoTile])
		a.V = unsafe.Pointer(&v[(t-tiles.lo)*block])
		p.kernels.Input(a)
	}
}

// delta transforms tiles of the given groups of dy. The parts of the first input channels
// sum them up for the bias.
func (p *winoGrad) delta(a *asm.WinoDelta, chunk int, tiles, planes, groups span, d []float32) {
	first := groups.lo * p.kernels.Blocks
	a.Row, a.Plane = 4*p.y.row, 4*p.y.plane
	a.DPoint, a.DBlock = 4*p.dPoint, 4*block*p.perBlock
	if planes.lo == 0 && p.call.db != nil {
		a.Sum = unsafe.Pointer(&p.biasSum(chunk, groups)[0])
	}
	for t := tiles.lo; t < tiles.hi; t += a.Tiles {
		count, image, y, x := p.row(span{t, tiles.hi})
		a.Tiles, a.Blocks = count, min(groups.hi*p.kernels.Blocks, p.y.blocks)-first
		a.DY = unsafe.Pointer(&p.call.dy.data[image*p.y.image+first*p.y.plane+p.y.origin+(y*p.y.row+x*block)*asm.WinoTile])
		a.D = unsafe.Pointer(&d[(t-tiles.lo)*block])
		p.kernels.Delta(a)
	}
}
