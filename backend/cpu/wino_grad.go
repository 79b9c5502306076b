package cpu

import "jem/backend/cpu/asm"

// winoGrad is the planned gradient of a 3×3 window's weights by Winograd's F(3×3,4×4), for
// stride 2 by F(2×2,4×4) and what is left of it for one tap: see asm.WinoDelta for the
// arithmetic.
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
	groups   int   // of kernels.Blocks·16 output lanes; the last may be narrower
	products int   // of a tile, channel and channel
	points   int   // that output gradients are transformed to
	point    []int // where among them each product finds its own
	offs     []int // bytes from one product's inputs to the next, for stride 2

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
	input  asm.WinoInput
	phases asm.WinoPhases
	delta  asm.WinoDelta
	outer  asm.WinoOuter
	taps   asm.WinoTaps
	spread asm.WinoSpread
	_      [256]byte
}

const (
	// winoGradParts is how many parts a gradient has at least, where tiles and channels allow.
	winoGradParts = 16
	// winoGradChunk is how many tiles a chunk has at least: fewer don't make up for adding
	// up the chunks.
	winoGradChunk = 128
	// winoGradImages is how many images, at most, chunks are planned for: batches come in waves of about half
	// as many.
	winoGradImages = 64
	// winoGradFewest is how many tiles a planned batch has at least. A sum over fewer has
	// as large errors as a tile's own (docs/numerics.md).
	winoGradFewest = 4
)

// winoGradTiles is how many tiles are worked on at a time, by stride: sums are loaded and
// stored once for so many terms.
var winoGradTiles = [...]int{1: 64, 2: 32}

// winoGradChannels is how many input and output channels a part has at most, by stride: 64
// of both have sums of 590 KB, or 1.3 MB. With 32 transforms take twice their share of the
// time.
var winoGradChannels = [...][]struct{ in, out int }{1: {{64, 64}, {64, 32}, {32, 32}}, 2: {{32, 64}, {32, 32}}}

func newWinoGrad(c *conv) *winoGrad {
	p := &winoGrad{conv: c, kernels: asm.WinoFor(c.d.isa), x: c.x, y: c.y, tiling: newTiling(&c.y, asm.WinoTile)}
	p.groups = (p.y.blocks + p.kernels.Blocks - 1) / p.kernels.Blocks
	p.products, p.points = asm.WinoPoints, asm.WinoPoints
	if c.spec.Stride == 2 {
		p.products, p.points = asm.WinoStridePoints, 25
	}
	p.divide()
	p.vPoint = oddLines(p.perBlock * p.planesPart * block)
	p.dPoint = oddLines(p.perBlock * p.groupsPart * p.kernels.Blocks * block)
	p.mPoint = oddLines(p.planesPart * block * p.kernels.Blocks * block)
	p.mGroup = p.products * p.mPoint
	p.match()
	if p.chunks > 1 {
		p.sums = c.d.alloc(p.chunks * p.splits() * p.partSums())
	}
	p.bias = c.d.alloc(p.chunks * p.y.blocks * block)
	p.args = make([]winoGradArgs, c.d.workers.n)
	c.d.scratch.reserve(p.scratch(winoGradAll))
	return p
}

// match finds the points of the products.
func (p *winoGrad) match() {
	for i := range p.products {
		if p.points == p.products {
			p.point = append(p.point, i)
			continue
		}
		p.point = append(p.point, i/9%5*5+i%9%5)
		p.offs = append(p.offs, 4*i*p.vPoint)
	}
}

// divide chooses the parts.
func (p *winoGrad) divide() {
	p.perBlock = winoGradTiles[p.conv.spec.Stride]
	tiles := min(p.conv.spec.N, winoGradImages) * p.tiles
	for _, channels := range winoGradChannels[p.conv.spec.Stride] {
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
	return share(n, share(n, most))
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
	sizes := [...]int{p.products * p.vPoint, p.points * p.dPoint, 9 * block * block, 0}
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
func (p *winoGrad) chunksOf(n int) int { return max(1, min(p.chunks, n*p.tiles/winoGradChunk)) }
