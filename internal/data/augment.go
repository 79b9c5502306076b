package data

import (
	"fmt"
	"math"
	"slices"

	"jem/backend/philox"
)

// Augment says what is done to a training image, in the official order: reflect-pad by Crop
// and cut a window of the old size at random; flip left-right with probability ½; whatever is Strong; scale to
// [-1,1]; add Noise·N(0,1), without clamping. The zero value only scales.
type Augment struct {
	Crop  int     // padding in pixels; offsets are uniform in 0 … 2·Crop
	Flip  bool    // the official code leaves it out for SVHN
	Noise float32 // σ in the units of [-1,1]
	// Strong is done to the flipped window, as bytes; "": nothing.
	Strong Strong
}

func (a Augment) check(h, w int) error {
	if a.Crop < 0 || a.Crop >= min(h, w) {
		return fmt.Errorf("crop padding %d: reflection of %d×%d images allows 0 to %d", a.Crop, h, w, min(h, w)-1)
	}
	if !(a.Noise >= 0) || math.IsInf(float64(a.Noise), 1) {
		return fmt.Errorf("noise %v: want a finite standard deviation ≥ 0", a.Noise)
	}
	return a.Strong.check()
}

// augmenter applies an Augment. It is read-only after newAugmenter.
type augmenter struct {
	Augment
	c, h, w int
	levels  [256]float32 // scale of each byte
	bytes   [256]uint8   // each byte itself
	normal  quantiles
}

func newAugmenter(a Augment, s *Set) (*augmenter, error) {
	if err := a.check(s.H, s.W); err != nil {
		return nil, err
	}
	g := &augmenter{Augment: a, c: s.C, h: s.H, w: s.W}
	for v := range g.levels {
		g.levels[v], g.bytes[v] = scale(uint8(v)), uint8(v)
	}
	if a.Noise > 0 {
		g.normal = newQuantiles()
	}
	return g, nil
}

// apply writes the augmented image to dst (C,H,W): a pure function of image and keys.
// Words 0 to 2 of the key's stream are row offset, column offset and flip; the noise begins
// with block 1. What is strong has a key of its own and needs scratch.
func (g *augmenter) apply(dst []float32, image []uint8, key, strong philox.Key, scratch *canvas) {
	words := key.Words(0)
	window := 2*g.Crop + 1
	m := move{
		dy:   int(uint64(words[0])*uint64(window)>>32) - g.Crop,
		dx:   int(uint64(words[1])*uint64(window)>>32) - g.Crop,
		flip: g.Flip && words[2]>>31 == 1,
	}
	if g.Strong.Any() {
		moved(g, scratch.pixels, image, m, &g.bytes)
		g.Strong.strengthen(scratch, strong)
		image, m = scratch.pixels, move{}
	}
	moved(g, dst, image, m, &g.levels)
	if g.Noise > 0 {
		g.normal.add(dst, g.Noise, key, 1)
	}
}

// canvas is scratch for apply; nil where it needs none.
func (g *augmenter) canvas() *canvas {
	if !g.Strong.Any() {
		return nil
	}
	n := g.c * g.h * g.w
	return &canvas{c: g.c, h: g.h, w: g.w, pixels: make([]uint8, n), spare: make([]uint8, n)}
}

// move is a window's offset, and whether it is flipped.
type move struct {
	dy, dx int
	flip   bool
}

// moved writes what a table makes of the window's bytes.
func moved[T uint8 | float32](g *augmenter, dst []T, image []uint8, m move, table *[256]T) {
	if m == (move{}) {
		dst = dst[:len(image)]
		for i, v := range image {
			dst[i] = table[v]
		}
		return
	}
	var columns [MaxSide]int
	from := columns[:g.w]
	for x := range from {
		from[x] = reflect(x+m.dx, g.w)
	}
	if m.flip {
		slices.Reverse(from)
	}
	for c := range g.c {
		for y := range g.h {
			row := image[(c*g.h+reflect(y+m.dy, g.h))*g.w:][:g.w]
			out := dst[(c*g.h+y)*g.w:][:g.w]
			for x, i := range from {
				out[x] = table[row[i]]
			}
		}
	}
}

// reflect maps a coordinate outside 0 … n−1 back by reflection about the edge pixel, which is
// not repeated: −1 → 1, n → n−2. It holds for distances below n.
func reflect(i, n int) int {
	if i < 0 {
		return -i
	}
	if i >= n {
		return 2*(n-1) - i
	}
	return i
}
