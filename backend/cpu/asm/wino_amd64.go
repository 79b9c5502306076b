package asm

func winoFor(isa ISA) *Wino {
	switch isa {
	case AVX512:
		return &winoAVX512
	case AVX2:
		return &winoAVX2
	}
	return nil
}

var winoAVX512 = Wino{
	Blocks:     2,
	Input:      winoInputAVX512,
	Output:     winoOutputAVX512,
	Delta:      winoDeltaAVX512,
	Outer:      [3]func(*WinoOuter){1: winoOuter1AVX512, 2: winoOuter2AVX512},
	Taps:       winoTapsAVX512,
	productMax: [3]int{1: 8, 2: 8},
	product: [3][maxTile + 1]func(*WinoProduct){
		1: {
			1:  winoProduct1x1AVX512,
			2:  winoProduct2x1AVX512,
			3:  winoProduct3x1AVX512,
			4:  winoProduct4x1AVX512,
			5:  winoProduct5x1AVX512,
			6:  winoProduct6x1AVX512,
			7:  winoProduct7x1AVX512,
			8:  winoProduct8x1AVX512,
			16: winoProduct16x1AVX512,
		},
		2: {
			1: winoProduct1x2AVX512,
			2: winoProduct2x2AVX512,
			3: winoProduct3x2AVX512,
			4: winoProduct4x2AVX512,
			5: winoProduct5x2AVX512,
			6: winoProduct6x2AVX512,
			7: winoProduct7x2AVX512,
			8: winoProduct8x2AVX512,
		},
	},
}

var winoAVX2 = Wino{
	Blocks:     1,
	Input:      winoInputAVX2,
	Output:     winoOutputAVX2,
	Delta:      winoDeltaAVX2,
	Outer:      [3]func(*WinoOuter){1: winoOuter1AVX2},
	Taps:       winoTapsAVX2,
	productMax: [3]int{1: 6},
	product: [3][maxTile + 1]func(*WinoProduct){
		1: {
			1: winoProduct1x1AVX2,
			2: winoProduct2x1AVX2,
			3: winoProduct3x1AVX2,
			4: winoProduct4x1AVX2,
			5: winoProduct5x1AVX2,
			6: winoProduct6x1AVX2,
		},
	},
}
