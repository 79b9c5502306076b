package bench

// fmaLoop returns a loop of independent multiply-adds and its floating-point operations an
// iteration: 12 registers of 8 or 16 numbers, 2 operations each. Twelve in flight hide the
// latency of 4 to 6 cycles on two units.
func fmaLoop(isa string) (loop func(iterations int), flop int) {
	switch isa {
	case "avx2":
		return fmaAVX2, 12 * 8 * 2
	case "avx512":
		return fmaAVX512, 12 * 16 * 2
	}
	return nil, 0
}

//go:noescape
func fmaAVX2(iterations int)

//go:noescape
func fmaAVX512(iterations int)
