package asm

func convFor(isa ISA) *Conv {
	switch isa {
	case AVX512:
		return &convAVX512
	case AVX2:
		return &convAVX2
	}
	return nil
}

var convAVX512 = Conv{
	fold:        convFoldAVX512,
	outerWindow: convOuterWindowAVX512,
	windowMax:   12,
	window: [maxTile + 1]func(*ConvTile){
		1:  convWindow1AVX512,
		2:  convWindow2AVX512,
		3:  convWindow3AVX512,
		4:  convWindow4AVX512,
		5:  convWindow5AVX512,
		6:  convWindow6AVX512,
		7:  convWindow7AVX512,
		8:  convWindow8AVX512,
		9:  convWindow9AVX512,
		10: convWindow10AVX512,
		11: convWindow11AVX512,
		12: convWindow12AVX512,
	},
	Blocks:   2,
	tileMax:  [3]int{1: 8, 2: 8},
	outerMax: 8,
	tile: [3][maxTile + 1]func(*ConvTile){
		1: {
			1:  convTile1x1AVX512,
			2:  convTile2x1AVX512,
			3:  convTile3x1AVX512,
			4:  convTile4x1AVX512,
			5:  convTile5x1AVX512,
			6:  convTile6x1AVX512,
			7:  convTile7x1AVX512,
			8:  convTile8x1AVX512,
			16: convTile16x1AVX512,
		},
		2: {
			1: convTile1x2AVX512,
			2: convTile2x2AVX512,
			3: convTile3x2AVX512,
			4: convTile4x2AVX512,
			5: convTile5x2AVX512,
			6: convTile6x2AVX512,
			7: convTile7x2AVX512,
			8: convTile8x2AVX512,
		},
	},
	outer: [3][maxOuter + 1]func(*ConvOuter){
		1: {
			1: convOuter1x1AVX512,
			2: convOuter2x1AVX512,
			3: convOuter3x1AVX512,
			4: convOuter4x1AVX512,
			5: convOuter5x1AVX512,
			6: convOuter6x1AVX512,
			7: convOuter7x1AVX512,
			8: convOuter8x1AVX512,
		},
		2: {
			1: convOuter1x2AVX512,
			2: convOuter2x2AVX512,
			3: convOuter3x2AVX512,
			4: convOuter4x2AVX512,
			5: convOuter5x2AVX512,
			6: convOuter6x2AVX512,
			7: convOuter7x2AVX512,
			8: convOuter8x2AVX512,
		},
	},
}

var convAVX2 = Conv{
	fold:     convFoldAVX2,
	Blocks:   1,
	tileMax:  [3]int{1: 6},
	outerMax: 6,
	tile: [3][maxTile + 1]func(*ConvTile){
		1: {
			1: convTile1x1AVX2,
			2: convTile2x1AVX2,
			3: convTile3x1AVX2,
			4: convTile4x1AVX2,
			5: convTile5x1AVX2,
			6: convTile6x1AVX2,
		},
	},
	outer: [3][maxOuter + 1]func(*ConvOuter){
		1: {
			1: convOuter1x1AVX2,
			2: convOuter2x1AVX2,
			3: convOuter3x1AVX2,
			4: convOuter4x1AVX2,
			5: convOuter5x1AVX2,
			6: convOuter6x1AVX2,
		},
	},
}
