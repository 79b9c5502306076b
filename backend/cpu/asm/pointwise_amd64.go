package asm

// PointwiseFor returns the kernels of an instruction set that this machine has.
func PointwiseFor(isa ISA) Pointwise {
	switch isa {
	default:
		return genericPointwise()
	}
}
