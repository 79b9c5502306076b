#include "textflag.h"

// func Pause(n int)
TEXT ·Pause(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), CX

again:
	PAUSE
	DECQ CX
	JG   again
	RET

// func cpuid(leaf uint32) (words [4]uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	XORL CX, CX
	CPUID
	MOVL AX, words_0+8(FP)
	MOVL BX, words_1+12(FP)
	MOVL CX, words_2+16(FP)
	MOVL DX, words_3+20(FP)
	RET
