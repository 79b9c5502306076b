package asm

import "unsafe"

// WinoPairs are the arguments of the rounding of transformed weights to bf16, for 16 input
// channels, 16 output channels and each of Products products:
//
//	U[Offs[product] + pair·UPair + 4·lane] from From[product][2·pair][lane]      (lower half)
//	                                       and  From[product][2·pair + 1][lane]  (upper half)
//
// UPair is in bytes.
type WinoPairs struct {
	From     unsafe.Pointer
	U        unsafe.Pointer
	Offs     unsafe.Pointer // ints: bytes
	UPair    int
	Products int // at least 1
}
