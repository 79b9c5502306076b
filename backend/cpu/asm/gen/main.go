// Command gen writes the assembly of package asm:
//
//	go run . -isa avx512 -family conv -out ../conv_avx512_amd64.s -stubs ../conv_avx512_amd64.go -pkg asm
//
// make generate runs it for every family and instruction set.
package main

import (
	"flag"
	"log"

	"github.com/mmcloughlin/avo/build"
)

var (
	isaName = flag.String("isa", "avx512", "instruction set: avx2 or avx512")
	family  = flag.String("family", "", "kernels to write: conv, peak, pointwise, wino, wino8 or wino_bf16")
)

func main() {
	// avo's build.Generate registers -out, -stubs and -pkg and parses all flags itself,
	// so ours are read before it from the same command line.
	flag.Parse()
	families := map[string]func(isa string){
		"pointwise": pointwise,
		"conv":      writeConv,
		"peak":      writePeak,
		"wino":      writeWino,
		"wino8":     writeWino8,
		"wino_bf16": writeWinoBF16,
	}
	write, ok := families[*family]
	if !ok {
		log.Fatalf("unknown family %q", *family)
	}
	write(*isaName)
	build.Generate()
}
