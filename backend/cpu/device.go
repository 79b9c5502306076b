// Package cpu is the CPU device: Go without a C library, hot loops in generated
// assembly (AVX-512, AVX2+FMA) chosen when the device is opened, portable Go elsewhere.
//
// It knows tensors and operations, not networks or training.
package cpu

import "jem/backend/cpu/asm"

// Device is the CPU's backend.Device.
type Device struct {
	workers *workers
	isa     asm.ISA
	params  uint64 // counts ParamsChanged; plans redo their weights when it moved
}
