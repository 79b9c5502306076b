package asm

func winoBF16For(isa ISA) *Wino {
	if isa == AVX512 {
		return &winoBF16AVX512
	}
	return nil
}

var winoBF16AVX512 = inBF16(winoAVX512, Wino{
	Pairs:  winoPairsAVX512BF16,
	Input:  winoInputAVX512BF16,
	Five:   winoFiveAVX512BF16,
	Phases: winoPhasesAVX512BF16,
	product: [3][maxTile + 1]func(*WinoProduct){
		1: {
			1:  winoProduct1x1AVX512BF16,
			2:  winoProduct2x1AVX512BF16,
			3:  winoProduct3x1AVX512BF16,
			4:  winoProduct4x1AVX512BF16,
			5:  winoProduct5x1AVX512BF16,
			6:  winoProduct6x1AVX512BF16,
			7:  winoProduct7x1AVX512BF16,
			8:  winoProduct8x1AVX512BF16,
			16: winoProduct16x1AVX512BF16,
		},
		2: {
			1: winoProduct1x2AVX512BF16,
			2: winoProduct2x2AVX512BF16,
			3: winoProduct3x2AVX512BF16,
			4: winoProduct4x2AVX512BF16,
			5: winoProduct5x2AVX512BF16,
			6: winoProduct6x2AVX512BF16,
			7: winoProduct7x2AVX512BF16,
			8: winoProduct8x2AVX512BF16,
		},
	},
})
