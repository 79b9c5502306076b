package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors describes how an instruction set holds 16 channels.
type vectors struct {
	suffix   string // of the functions' names
	perBlock int    // registers for 16 channels
	bytes    int    // of one register
	new      func() reg.VecVirtual
	masks    bool // comparisons write mask registers
	bf16     bool // Winograd's products are of bf16

	tiles  map[int][]int // tile sizes in pixels, by blocks of a group
	outer  map[int]int   // most input floats of an outer product, by blocks of a group
	window int           // widest tile of the window kernels, 0 for none
}

var convVectors = map[string]vectors{
	"avx512": {
		suffix: "AVX512", perBlock: 1, bytes: 64, new: ZMM, masks: true,
		tiles:  map[int][]int{1: {1, 2, 3, 4, 5, 6, 7, 8, 16}, 2: {1, 2, 3, 4, 5, 6, 7, 8}},
		outer:  map[int]int{1: 8, 2: 8},
		window: 12,
	},
	"avx2": {
		suffix: "AVX2", perBlock: 2, bytes: 32, new: YMM,
		tiles: map[int][]int{1: {1, 2, 3, 4, 5, 6}},
		outer: map[int]int{1: 6},
	},
}

// writeConv writes the convolution kernels of an instruction set.
func writeConv(isa string) {
	v, ok := convVectors[isa]
	if !ok {
		fail("no convolution kernels for %q", isa)
	}
	declare("../conv_args.go", "ConvTile", "ConvOuter", "ConvFold")
	for blocks := 1; blocks <= 2; blocks++ {
		for _, pixels := range v.tiles[blocks] {
			writeTile(v, tileKernel{fmt.Sprintf("convTile%dx%d%s", pixels, blocks, v.suffix), blocks, pixels, 1})
		}
		for depth := 1; depth <= v.outer[blocks]; depth++ {
			writeOuter(v, outerKernel{fmt.Sprintf("convOuter%dx%d%s", depth, blocks, v.suffix), blocks, depth, 1})
		}
	}
	for pixels := 1; pixels <= v.window; pixels++ {
		writeTile(v, tileKernel{fmt.Sprintf("convWindow%d%s", pixels, v.suffix), 1, pixels, 3})
	}
	if v.window > 0 {
		writeOuter(v, outerKernel{"convOuterWindow" + v.suffix, 1, 8, 3})
	}
	writeFold(v)
}

// accumulators are rows × registers of sums.
type accumulators [][]reg.VecVirtual

func (v *vectors) accumulators(rows, blocks int) accumulators {
	a := make(accumulators, rows)
	for r := range a {
		for range blocks * v.perBlock {
			a[r] = append(a[r], v.new())
		}
	}
	return a
}

// argument loads a field of the struct that the function's only parameter points to.
func argument(name string) reg.GPVirtual {
	r := GP64()
	MOVQ(field(name), r)
	return r
}

func field(name string) Mem {
	f, err := Dereference(Param("a")).Field(name).Resolve()
	if err != nil {
		fail("%v", err)
	}
	return f.Addr
}

// multiply adds one step of the sum to the accumulators: sum r gets source(r+t) times the
// lanes of weights(t), for each of the taps. A float is brought to a register once and
// used for all taps and lanes; as a memory operand it would be loaded again for each. Where
// it serves one register only, AVX-512 multiplies by it straight from memory: on Zen 4 that
// is up to 1.35 times as fast as bringing it to a register of 512 bits.
func (v *vectors) multiply(acc accumulators, taps int, weights func(tap, lane int) Mem, source func(row int) Mem) {
	w := v.accumulators(taps, 0)
	for t := range w {
		for l := range acc[0] {
			w[t] = append(w[t], v.new())
			VMOVUPS(weights(t, l), w[t][l])
		}
	}
	if v.masks && taps == 1 && len(acc[0]) == 1 {
		for r := range acc {
			VFMADD231PS_BCST(source(r), w[0][0], acc[r][0])
		}
		return
	}
	for i := range len(acc) + taps - 1 {
		x := v.new()
		VBROADCASTSS(source(i), x)
		for t := range taps {
			if r := i - t; 0 <= r && r < len(acc) {
				for l := range acc[r] {
					VFMADD231PS(w[t][l], x, acc[r][l])
				}
			}
		}
	}
}

// ret returns, leaving no upper halves behind that would slow down SSE code.
func (v *vectors) ret() {
	VZEROUPPER()
	RET()
}
