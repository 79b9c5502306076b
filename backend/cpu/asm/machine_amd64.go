package asm

import (
	"encoding/binary"
	"strings"
)

// Pause tells the core n times (at least once) that it is in a spin loop.
//
//go:noescape
func Pause(n int)

// cpuid is the instruction of that name, subleaf 0: EAX, EBX, ECX, EDX.
//
//go:noescape
func cpuid(leaf uint32) (words [4]uint32)

// Model is the processor's name for itself.
func Model() string {
	const first, last = 0x80000002, 0x80000004 // the brand string, 16 bytes a leaf
	if cpuid(0x80000000)[0] < last {
		return "amd64"
	}
	var brand []byte
	for leaf := uint32(first); leaf <= last; leaf++ {
		for _, w := range cpuid(leaf) {
			brand = binary.LittleEndian.AppendUint32(brand, w)
		}
	}
	return strings.Join(strings.Fields(strings.TrimRight(string(brand), "\x00")), " ")
}
