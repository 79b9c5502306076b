//go:build !amd64

package asm

func peakFor(ISA) peak { return peak{peakGeneric, 8} }
