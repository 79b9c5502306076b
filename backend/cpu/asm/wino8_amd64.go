package asm

func winoWideFor(isa ISA) *Wino {
	switch isa {
	case AVX512:
		return &winoWideAVX512
	case AVX2:
		return &winoWideAVX2
	}
	return nil
}

var winoWideAVX512 = ofWide(winoAVX512, Wino{
	Input:   winoWideInputAVX512,
	Output:  winoWideOutputAVX512,
	Windows: [3]func(*WinoWindows){1: winoWideWindowsAVX512},
})

var winoWideAVX2 = ofWide(winoAVX2, Wino{
	Input:   winoWideInputAVX2,
	Output:  winoWideOutputAVX2,
	Windows: [3]func(*WinoWindows){1: winoWideWindowsAVX2},
})
