package asm

import "unsafe"

// Wino is the table of Winograd kernels of one instruction set. Output channels are
// worked on in groups of Blocks×16 lanes, a last group may have fewer.
type Wino struct {
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

// Product runs p over tiles, splitting them into groups as even as can be. p.V, p.M,
// p.Groups, p.Next and p.Dest are used up.
func (w *Wino) Product(p *WinoProduct, blocks, tiles int) {
	kernels := &w.product[blocks]
	if wide := kernels[maxTile]; wide != nil && tiles >= maxTile {
		p.Groups = tiles / maxTile
		wide(p)
		if tiles %= maxTile; tiles == 0 {
			return
		}
		w.advance(p, p.Groups, maxTile, blocks)
	}
	most := w.productMax[blocks]
	groups := (tiles + most - 1) / most
	size, larger := tiles/groups, tiles%groups
	if larger > 0 {
		p.Groups = larger
		kernels[size+1](p)
		w.advance(p, larger, size+1, blocks)
	}
	p.Groups = groups - larger
	kernels[size](p)
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
func (w *Wino) Steps(blocksIn, blocks, tiles int) int {
	groups := 0
	if w.product[blocks][maxTile] != nil {
		groups, tiles = tiles/maxTile, tiles%maxTile
	}
	most := w.productMax[blocks]
	return w.Width * blocksIn * (groups + (tiles+most-1)/most)
}
