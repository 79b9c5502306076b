package cpu

import (
	"unsafe"

	"jem/backend/cpu/asm"
)

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
				p.finish(a, g, plane, m[(g-groups.lo)*p.mGroup:], memory[p.scratch(winoGradW):])
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
	p.input(a, tiles, planes, v)
	p.delta(&a.delta, chunk, tiles, planes, groups, d)
	o := &a.outer
	o.Tiles = tiles.hi - tiles.lo
	o.VBlock, o.DBlock = 4*block*p.perBlock, 4*block*p.perBlock
	steps := (planes.hi - planes.lo) * block / 8 * o.Tiles / 4
	next := span{tiles.hi, min(2*tiles.hi-tiles.lo, p.call.n*p.tiles)}
	first := groups.lo * p.kernels.Blocks
	half := ((groups.hi-groups.lo)*p.products + 1) / 2
	walks := [2]walk{
		p.aheadOf(p.call.x, next, planes).walk(0, half),
		p.aheadOf(p.call.dy, next, span{first, min(groups.hi*p.kernels.Blocks, p.y.blocks)}).walk(0, half),
	}
	for g := groups.lo; g < groups.hi; g++ {
		for product, point := range p.point {
			i := (g-groups.lo)*p.products + product
			o.V = unsafe.Pointer(&v[product*p.vPoint])
			o.D = unsafe.Pointer(&d[point*p.dPoint+(g-groups.lo)*p.kernels.Blocks*block*p.perBlock])
			o.M = unsafe.Pointer(&m[(g-groups.lo)*p.mGroup+product*p.mPoint])
			o.Next, o.NextStep = walks[i%2].next(max(1, steps), o.V)
			o.Blocks = planes.hi - planes.lo
			p.kernels.Outer[p.blocks(g)](o)
		}
	}
}

// input transforms tiles of the given blocks of x.
func (p *winoGrad) input(a *winoGradArgs, tiles, planes span, v []float32) {
	in, phases, stride := &a.input, &a.phases, p.conv.spec.Stride
	in.XRow, in.XPlane, in.VPoint, in.VBlock = 4*p.x.row, 4*p.x.plane, 4*p.vPoint, 4*block*p.perBlock
	if stride == 2 {
		*phases = asm.WinoPhases{XRow: in.XRow, XPlane: in.XPlane, VBlock: in.VBlock, Offs: unsafe.Pointer(&p.offs[0])}
	}
	for t := tiles.lo; t < tiles.hi; t += in.Tiles {
		count, image, y, x := p.row(span{t, tiles.hi})
		in.Tiles, in.Blocks = count, planes.hi-planes.lo
		// The first tile reads from the row above and the pixel before: no origin.
		in.X = unsafe.Pointer(&p.call.x.data[image*p.x.image+planes.lo*p.x.plane+(y*p.x.row+x*block)*asm.WinoTile*stride])
		in.V = unsafe.Pointer(&v[(t-tiles.lo)*block])
		if stride == 2 {
			phases.X, phases.V, phases.Tiles, phases.Blocks = in.X, in.V, in.Tiles, in.Blocks
			p.kernels.Phases(phases)
		} else {
			p.kernels.Input(in)
		}
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
		p.kernels.Delta[p.conv.spec.Stride](a)
	}
}
