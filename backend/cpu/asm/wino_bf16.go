package asm

import "golang.org/x/sys/cpu"

// WinoBF16For returns the kernels whose products are of bf16, for an instruction set that
// BF16 or, of the portable ones, nobody asks for: transformed inputs and weights are rounded
// to bf16 (to nearest, ties to even), transforms and sums are of float32. Windows stays with
// float32, and so do the kernels of the parameter gradient.
func WinoBF16For(isa ISA) *Wino {
	if w := winoBF16For(isa); w != nil {
		return w
	}
	return &winoBF16Generic
}

// BF16 reports whether this machine has instructions for bf16 beside those of the
// instruction set.
func BF16(isa ISA) bool {
	return isa == AVX512 && Best() == AVX512 && cpu.X86.HasAVX512BF16
}

// inBF16 is a table with other kernels where numbers are of bf16.
func inBF16(w, kernels Wino) Wino {
	w.Width, w.Pairs = 2, kernels.Pairs
	w.Input, w.Phases, w.Five = kernels.Input, kernels.Phases, kernels.Five
	w.product = kernels.product
	return w
}
