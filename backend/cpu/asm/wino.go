package asm

import "unsafe"

// Wino is the table of Winograd kernels of one instruction set. Output channels are
// worked on in groups of Blocks×16 lanes, a last group may have fewer.
type Wino struct {
	// Tile is the width of a tile of outputs at stride 1.
	Tile int
	// Blocks is the number of 16-lane blocks in a full group: 1 or 2.
	Blocks int
	// Width is the bytes of a transformed number: 4 for float32, 2 where products are of
	// bf16. Then Input, Phases and Five round what they write, whose strides shrink
	// accordingly, and weights are pairs of input channels as Pairs makes them.
	Width int
	Pairs func(*WinoPairs) // nil for float32
	// Input and Output are the transforms.
	Input  func(*WinoInput)
	Output func(*WinoOutput)
	// Delta and Taps (by stride), Outer (by blocks) and Spread are the parameter gradient's.
	Delta  [3]func(*WinoDelta)
	Outer  [3]func(*WinoOuter)
	Taps   [3]func(*WinoTaps)
	Spread func(*WinoSpread)
	// Windows are the weights' transforms, by stride.
	Windows [3]func(*WinoWindows)
	// Phases and Stride are the transforms of stride 2, Five and Phase those of its
	// gradient, Phase for odd (1) or even (0) rows and columns.
	Phases func(*WinoPhases)
	Stride func(*WinoOutput)
	Five   func(*WinoInput)
	Phase  [2][2]func(*WinoOutput)

	productMax [3]int                             // by blocks: most tiles for even splits
	product    [3][maxTile + 1]func(*WinoProduct) // by blocks and tiles; nil: no such kernel
}

// WinoFor returns the kernels of an instruction set that Available lists.
func WinoFor(isa ISA) *Wino {
	if w := winoFor(isa); w != nil {
		return w
	}
	return &winoGeneric
}

// Points is the number of products of a tile at stride 1.
func (w *Wino) Points() int { return (w.Tile + 2) * (w.Tile + 2) }

// Split is how Product goes through tiles: some groups as wide as can be, then groups of two
// sizes, as even as can be.
type Split struct {
	blocks             int // of output channels
	wide, larger, rest int // groups: of maxTile, of size+1 and of size tiles
	size               int
}

// Split divides tiles for products with a group of blocks.
func (w *Wino) Split(blocks, tiles int) Split {
	s := Split{blocks: blocks}
	if w.product[blocks][maxTile] != nil {
		s.wide, tiles = tiles/maxTile, tiles%maxTile
	}
	if tiles > 0 {
		groups := (tiles + w.productMax[blocks] - 1) / w.productMax[blocks]
		s.size, s.larger = tiles/groups, tiles%groups
		s.rest = groups - s.larger
	}
	return s
}

// Product runs p over the tiles of s. p.V, p.M, p.Groups, p.Next and p.Dest are used up.
func (w *Wino) Product(p *WinoProduct, s *Split) {
	kernels := &w.product[s.blocks]
	if s.wide > 0 {
		p.Groups = s.wide
		kernels[maxTile](p)
		w.advance(p, s.wide, maxTile, s.blocks)
	}
	if s.larger > 0 {
		p.Groups = s.larger
		kernels[s.size+1](p)
		w.advance(p, s.larger, s.size+1, s.blocks)
	}
	if s.rest > 0 {
		p.Groups = s.rest
		kernels[s.size](p)
	}
}

// advance moves p on after groups of tiles.
func (w *Wino) advance(p *WinoProduct, groups, tiles, blocks int) {
	p.V = unsafe.Add(p.V, 16*w.Width*groups*tiles)
	p.M = unsafe.Add(p.M, 64*blocks*groups*tiles)
	steps := uintptr(w.Width * groups * p.Blocks)
	p.Next += steps * p.NextStep
	p.Dest += steps * p.DestStep
}

// Steps is the number of prefetching steps that Product will take.
func (w *Wino) Steps(p *WinoProduct, s *Split) int {
	return w.Width * p.Blocks * (s.wide + s.larger + s.rest)
}
