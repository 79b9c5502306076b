package asm

func peakFor(isa ISA) peak {
	switch isa {
	case AVX512:
		return peak{peakAVX512, 12 * 16}
	case AVX2:
		return peak{peakAVX2, 12 * 8}
	}
	return peak{peakGeneric, 8}
}
