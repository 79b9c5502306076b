package cpu

import "jem/backend/cpu/asm"

// form is what distinguishes the algorithms of wino: which transforms there are and which
// products add up.
type form struct {
	srcTile, dstTile int // pixels of a tile, along an axis
	first            int // of the pixels that the first tile reads, in floats

	// The input transform: transform with V's points vPoint floats apart; or, if there are
	// offs, asm.WinoPhases to those bytes.
	transform func(*asm.WinoInput)
	vPoint    int
	offs      []int

	places []int    // of the weights in a group's panel, in rows of lanes
	bytes  [3][]int // … in bytes, by the group's blocks

	points []winoPoint
	phases []winoPhase
}

// winoPoint is a sum of products.
type winoPoint struct {
	v      int // where its inputs are in V, in floats
	u      int // … its weights in a group's panel, in rows of lanes
	blocks int // terms, by 16
}

// winoPhase is a part of the outputs with the points that it comes from.
type winoPhase struct {
	points span
	y, x   int // first output pixel
	output func(*asm.WinoOutput)
}

// winoStrideWeights is the most that the weights of a layer of stride 2 may take, in
// bytes. They have to be read once for each block of tiles, so that those of 640>640 are
// slower than direct kernels.
const winoStrideWeights = 40e6

// winoFits reports whether the algorithm can compute a layer in a direction: a 3×3 window
// on feature maps whose tiles cover the image exactly, so that what a tile reads around it
// is image or halo.
func winoFits(c *conv, dir direction) bool {
	s := &c.spec
	if s.Kernel != 3 || s.Pad != 1 || !c.x.blocked || !c.y.blocked || c.y.h%asm.WinoTile != 0 || c.y.w%asm.WinoTile != 0 {
		return false
	}
	if dir == paramGradient && s.N*c.y.h*c.y.w < winoGradFewest*asm.WinoTile*asm.WinoTile {
		return false
	}
	switch s.Stride {
	case 1:
		return true
	case 2:
		weights := 4 * asm.WinoStridePoints * c.x.blocks * block * c.y.blocks * block
		return s.H == 2*c.y.h && s.W == 2*c.y.w && (dir == paramGradient || weights <= winoStrideWeights)
	}
	return false
}

// depth is the number of source channels.
func (p *wino) depth() int { return p.src.blocks * block }

// mostPoints is the largest number of points of a phase.
func (p *wino) mostPoints() int {
	most := 0
	for _, phase := range p.phases {
		most = max(most, phase.points.hi-phase.points.lo)
	}
	return most
}

// plain is stride 1, for both directions.
func (p *wino) plain() {
	p.srcTile, p.dstTile = p.kernels.Tile, p.kernels.Tile
	p.transform = p.kernels.Input
	p.vPoint = oddLines(p.stored(p.most * p.depth()))
	points := p.kernels.Points()
	p.vSize = points * p.vPoint
	for i := range points {
		p.places = append(p.places, i*p.depth())
		p.points = append(p.points, winoPoint{v: i * p.vPoint, u: i * p.depth(), blocks: p.src.blocks})
	}
	p.phases = []winoPhase{{points: span{0, points}, output: p.kernels.Output}}
}

// strideRows are the products, along an axis, of odd pixels and of even ones.
var strideRows = [2]span{{5, 9}, {0, 5}}

// strided is the forward pass of stride 2: 25 points whose sums go over all phases of the
// input.
func (p *wino) strided() {
	p.srcTile, p.dstTile = 2*asm.WinoTile, asm.WinoTile
	p.offs = make([]int, asm.WinoStridePoints)
	p.places = make([]int, asm.WinoStridePoints)
	rows := 0
	for point := range 25 {
		first := rows
		products(point, func(product, _ int) {
			p.places[product] = rows
			rows += p.depth()
		})
		p.points = append(p.points, winoPoint{v: p.vSize, u: first, blocks: (rows - first) / block})
		p.vSize += oddLines(p.stored(p.most * (rows - first)))
	}
	p.phases = []winoPhase{{points: span{0, 25}, output: p.kernels.Stride}}
}

// products calls f with the products that add up at one of 25 points, in their order.
func products(point int, f func(product, slot int)) {
	slot := 0
	for _, row := range [...]int{point / 5, point/5 + 5} {
		for _, column := range [...]int{point % 5, point%5 + 5} {
			if row < 9 && column < 9 {
				f(9*row+column, slot)
				slot++
			}
		}
	}
}

// place finds the products' inputs in V: those of a point follow one another.
func (p *wino) place() {
	for i := range p.points {
		products(i, func(product, slot int) {
			p.offs[product] = 4 * (p.points[i].v + p.stored(slot*p.depth()*p.perBlock))
		})
	}
}

// stridedGrad is the input gradient of stride 2: four phases of the result that share
// 25 points of the output's gradient.
func (p *wino) stridedGrad() {
	p.srcTile, p.dstTile = asm.WinoTile, 2*asm.WinoTile
	p.first = p.src.origin
	p.transform = p.kernels.Five
	p.vPoint = oddLines(p.stored(p.most * p.depth()))
	p.vSize = 25 * p.vPoint
	p.places = make([]int, asm.WinoStridePoints)
	for y, rows := range strideRows {
		for x, columns := range strideRows {
			lo := len(p.points)
			for row := rows.lo; row < rows.hi; row++ {
				for column := columns.lo; column < columns.hi; column++ {
					u := len(p.points) * p.depth()
					p.places[9*row+column] = u
					p.points = append(p.points, winoPoint{v: (row%5*5 + column%5) * p.vPoint, u: u, blocks: p.src.blocks})
				}
			}
			p.phases = append(p.phases, winoPhase{points: span{lo, len(p.points)}, y: y, x: x, output: p.kernels.Phase[y][x]})
		}
	}
}
