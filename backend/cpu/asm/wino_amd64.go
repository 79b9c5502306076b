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
	Tile:       WinoTile,
	Blocks:     2,
	Width:      4,
	Input:      winoInputAVX512,
	Output:     winoOutputAVX512,
	Delta:      [3]func(*WinoDelta){1: winoDeltaAVX512, 2: winoDeltaStrideAVX512},
	Outer:      [3]func(*WinoOuter){1: winoOuter1AVX512, 2: winoOuter2AVX512},
	Taps:       [3]func(*WinoTaps){1: winoTapsAVX512, 2: winoTapsStrideAVX512},
	Spread:     winoSpreadAVX2,
	Windows:    [3]func(*WinoWindows){1: winoWindows1AVX512, 2: winoWindows2AVX512},
	Phases:     winoPhasesAVX512,
	Stride:     winoOutputStrideAVX512,
	Five:       winoFiveAVX512,
	Phase:      [2][2]func(*WinoOutput){{winoOutputPhase4x4AVX512, winoOutputPhase4x5AVX512}, {winoOutputPhase5x4AVX512, winoOutputPhase5x5AVX512}},
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
	Tile:       WinoTile,
	Blocks:     1,
	Width:      4,
	Input:      winoInputAVX2,
	Output:     winoOutputAVX2,
	Delta:      [3]func(*WinoDelta){1: winoDeltaAVX2, 2: winoDeltaStrideAVX2},
	Outer:      [3]func(*WinoOuter){1: winoOuter1AVX2},
	Taps:       [3]func(*WinoTaps){1: winoTapsAVX2, 2: winoTapsStrideAVX2},
	Spread:     winoSpreadAVX2,
	Windows:    [3]func(*WinoWindows){1: winoWindows1AVX2, 2: winoWindows2AVX2},
	Phases:     winoPhasesAVX2,
	Stride:     winoOutputStrideAVX2,
	Five:       winoFiveAVX2,
	Phase:      [2][2]func(*WinoOutput){{winoOutputPhase4x4AVX2, winoOutputPhase4x5AVX2}, {winoOutputPhase5x4AVX2, winoOutputPhase5x5AVX2}},
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
