//go:build !amd64

package asm

// PointwiseFor returns the kernels of an instruction set that this machine has.
func PointwiseFor(ISA) Pointwise { return genericPointwise() }
