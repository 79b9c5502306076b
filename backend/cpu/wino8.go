package cpu

import "jem/backend/cpu/asm"

const (
	// wideDepth is the fewest source channels for wide tiles: with fewer the transforms take
	// what the products save.
	wideDepth = 32
	// wideWeights is the most that the transformed weights of such a layer may take, in bytes.
	// They are read once for every few tiles, and are there beside those for the calls
	// outside of chains, which take a third of it.
	wideWeights = 8 << 20
)

// wideBlock is how many wide tiles are worked on at a time: what the widest product kernel
// takes or twice that.
var wideBlock = [...]int{asm.Generic: 8, asm.AVX2: 12, asm.AVX512: 8}

// widens reports whether chains compute what p does with tiles of 8×8 outputs: where that is
// faster. It errs more (docs/numerics.md).
func (p *wino) widens() bool {
	weights := 4 * asm.WinoWidePoints * p.depth() * p.dst.blocks * block
	return p.conv.d.isa != asm.Generic && p.conv.spec.Stride == 1 && p.depth() >= wideDepth && weights <= wideWeights &&
		p.dst.h%asm.WinoWideTile == 0 && p.dst.w%asm.WinoWideTile == 0
}

// wide reports whether tiles are of 8×8 outputs.
func (p *wino) wide() bool { return p.kernels.Tile == asm.WinoWideTile }

// blockSize is how many tiles are worked on at a time.
func (p *wino) blockSize() int {
	if p.wide() {
		return wideBlock[p.conv.d.isa]
	}
	return winoBlock
}
