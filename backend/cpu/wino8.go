package cpu

import "jem/backend/cpu/asm"

const (
	// wideLanes is the fewest channels, on the wider side, of layers for wide tiles: with
	// fewer the transforms take what the products save.
	wideLanes = 32
	// wideWeights is the most that the transformed weights of such a layer may take, in bytes.
	// They are read once for every few tiles, and are there beside those for the calls
	// outside of chains, which take a third of it.
	wideWeights = 8 << 20
)

// wideBlock is how many wide tiles are worked on at a time: what the widest product kernel
// takes or twice that.
var wideBlock = [...]int{asm.Generic: 8, asm.AVX2: 12, asm.AVX512: 8}

// wideFits reports whether chains compute a layer with tiles of 8×8 outputs, given that
// others compute it with Winograd's algorithm: where that is faster. It errs more
// (docs/numerics.md).
func wideFits(c *conv) bool {
	s := &c.spec
	lanes := max(c.x.blocks, c.y.blocks) * block
	weights := 4 * asm.WinoWidePoints * c.x.blocks * block * c.y.blocks * block
	return c.d.isa != asm.Generic && s.Stride == 1 && lanes >= wideLanes && weights <= wideWeights &&
		c.y.h%asm.WinoWideTile == 0 && c.y.w%asm.WinoWideTile == 0
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
