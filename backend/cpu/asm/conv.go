package asm

import "unsafe"

// The most pixels of a tile and the most input floats of an outer product, over all
// instruction sets.
const (
	maxTile  = 16
	maxOuter = 8
)

// Conv is the table of convolution kernels of one instruction set. Output channels are
// worked on in groups of Blocks×16 lanes, a last group may have fewer.
type Conv struct {
	// Blocks is the number of 16-lane blocks in a full group: 1 or 2.
	Blocks int

	tileMax     [3]int // by blocks of the group: widest tile for even splits
	outerMax    int
	tile        [3][maxTile + 1]func(*ConvTile) // by blocks and pixels; nil: no such kernel
	window      [maxTile + 1]func(*ConvTile)    // by pixels, one block
	windowMax   int
	outerWindow func(*ConvOuter)                  // for 8 input floats
	fold        func(*ConvFold)                   // at most 4 channels, a multiple of 4 pixels; may be nil
	outer       [3][maxOuter + 1]func(*ConvOuter) // by blocks and input floats
}

// ConvFor returns the kernels of an instruction set that Available lists.
func ConvFor(isa ISA) *Conv {
	if c := convFor(isa); c != nil {
		return c
	}
	return &convGeneric
}

// HasWindow reports whether there are window kernels, for groups of one block: they
// load each input once for three taps, which pays where few lanes share it.
func (c *Conv) HasWindow() bool { return c.windowMax > 0 }

// Row runs t over a row of pixels, splitting it into tiles. t.X and the outputs point to
// the row's first pixel; t.X, t.Tiles and the outputs are used up.
func (c *Conv) Row(t *ConvTile, blocks, pixels int) {
	if wide := c.tile[blocks][maxTile]; wide != nil && pixels >= maxTile {
		t.Tiles = pixels / maxTile
		wide(t)
		if pixels %= maxTile; pixels == 0 {
			return
		}
		t.advance(t.Tiles * maxTile)
	}
	t.split(&c.tile[blocks], c.tileMax[blocks], pixels)
}

// Window is Row for the window kernels.
func (c *Conv) Window(t *ConvTile, pixels int) { t.split(&c.window, c.windowMax, pixels) }

// split runs t over a row in tiles of at most most pixels, as even as can be: 10 pixels as
// 5 and 5, not as 8 and 2.
func (t *ConvTile) split(kernels *[maxTile + 1]func(*ConvTile), most, pixels int) {
	tiles := (pixels + most - 1) / most
	size, larger := pixels/tiles, pixels%tiles
	if larger > 0 {
		t.Tiles = larger
		kernels[size+1](t)
		t.advance(larger * (size + 1))
	}
	t.Tiles = tiles - larger
	kernels[size](t)
}

// advance moves to the pixel n further on, which exists: a pointer past its memory must
// not stay in t, where the collector would find it.
func (t *ConvTile) advance(n int) {
	t.X = unsafe.Add(t.X, n*t.XPixel)
	for _, p := range [...]*unsafe.Pointer{&t.Sign, &t.Residual, &t.Raw, &t.Act} {
		if *p != nil {
			*p = unsafe.Add(*p, n*t.Pixel)
		}
	}
}

// Outer runs o over depth neighbouring floats of the input: Acc is [depth][blocks·16].
// o.X and o.Acc are used up.
func (c *Conv) Outer(o *ConvOuter, blocks, depth int) {
	steps := (depth + c.outerMax - 1) / c.outerMax
	for {
		n := (depth + steps - 1) / steps
		c.outer[blocks][n](o)
		if depth -= n; depth == 0 {
			return
		}
		steps--
		o.X = unsafe.Add(o.X, 4*n)
		o.Acc = unsafe.Add(o.Acc, 4*16*blocks*n)
	}
}

// OuterWindow is Outer for the window kernels; depth is a multiple of 8.
func (c *Conv) OuterWindow(o *ConvOuter, depth int) {
	for {
		c.outerWindow(o)
		if depth -= 8; depth == 0 {
			return
		}
		o.X = unsafe.Add(o.X, 4*8)
		o.Acc = unsafe.Add(o.Acc, 4*16*8)
	}
}

// Fold runs f. f.Src, f.Dst and f.Pixels are used up.
func (c *Conv) Fold(f *ConvFold) {
	if quads := f.Pixels &^ 3; c.fold != nil && f.Channels <= 4 && quads > 0 {
		rest := f.Pixels - quads
		f.Pixels = quads
		c.fold(f)
		if rest == 0 {
			return
		}
		f.Pixels = rest
		f.Src = unsafe.Add(f.Src, 64*quads)
		f.Dst = unsafe.Add(f.Dst, 4*quads)
	}
	f.generic()
}
