package kernels

import (
	"fmt"
	"math"
)

// Geometry is the shape of a launch. No kernel takes dynamic shared memory.
type Geometry struct {
	Grid, Block [3]uint32
}

// Rule says how many threads a kernel wants for given sizes.
type Rule uint8

// The rules, with the sizes that Launch takes.
const (
	One      Rule = iota // (): a single thread
	Quads                // (n): a thread for four elements
	Elements             // (n): a thread an element
	Stream               // (n, c, hw): a thread for a block of four random numbers, or for four RGB pixels
	Warps                // (rows): a warp a row
	Blocks               // (rows): a block a row
	Tiles                // (rows, row): a block for 1024 elements of a row
	Planes               // (images, c): a block for 32 channels of an image
	Columns              // (pixels, c): a block for 32 channels of a Part of the pixels
	Parts                // (n): a block for a Part of the elements
)

const threads = 256 // of a block

// Launch returns the geometry for the sizes that the rule asks for, each at least 1 and below
// 2³², which is what kernels number elements with. It panics where their number or a size is
// wrong.
func (r Rule) Launch(sizes ...int) Geometry {
	want := [...]int{One: 0, Quads: 1, Elements: 1, Stream: 3, Warps: 1, Blocks: 1, Tiles: 2, Planes: 2, Columns: 2, Parts: 1}
	if len(sizes) != want[r] {
		panic(fmt.Sprintf("kernels: launch of %d sizes, want %d", len(sizes), want[r]))
	}
	for _, n := range sizes {
		if n < 1 || n > math.MaxUint32 {
			panic(fmt.Sprintf("kernels: launch of sizes %v", sizes))
		}
	}
	return r.geometry(sizes)
}

func (r Rule) geometry(s []int) Geometry {
	switch r {
	case Quads:
		return line(over(over(s[0], 4), threads))
	case Elements:
		return line(over(s[0], threads))
	case Stream:
		return line(over(streams(s[0], s[1], s[2]), threads))
	case Warps:
		return line(over(s[0], threads/32))
	case Blocks:
		return line(s[0])
	case Tiles:
		return grid(s[0], over(s[1], 4*threads), threads, 1)
	case Planes:
		return grid(s[0], over(s[1], 32), 32, 8)
	case Columns:
		return grid(PixelParts(s[0]), over(s[1], 32), 32, 8)
	case Parts:
		return line(ElementParts(s[0]))
	}
	return grid(1, 1, 1, 1)
}

// streams is the number of threads of a random kernel: one for four pixels of RGB images
// whose size is a multiple of four, else one for four numbers.
func streams(n, c, hw int) int {
	if c == 3 && hw%4 == 0 {
		return n / 12
	}
	return over(n, 4)
}

// ElementParts is the number of partial sums of a sum over n elements: one for 4096,
// at most 1024.
func ElementParts(n int) int { return min(over(n, 16*threads), 1024) }

// PixelParts is the number of partial sums a channel of a sum over pixels: one for 256,
// at most 256.
func PixelParts(pixels int) int { return min(over(pixels, 256), 256) }

func over(n, by int) int { return (n + by - 1) / by }

func line(blocks int) Geometry { return grid(blocks, 1, threads, 1) }

// grid panics beyond the limits of the hardware: 2³¹−1 blocks in x, 65535 in y.
func grid(x, y, bx, by int) Geometry {
	if x > 1<<31-1 || y > 65535 {
		panic(fmt.Sprintf("kernels: grid of %d×%d blocks is too large", x, y))
	}
	return Geometry{Grid: [3]uint32{uint32(x), uint32(y), 1}, Block: [3]uint32{uint32(bx), uint32(by), 1}}
}
