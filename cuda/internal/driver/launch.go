//go:build cuda && linux && amd64

package driver

import (
	"unsafe"

	"gorgonia.org/cu"
)

// MaxWords is the largest number of a kernel's arguments.
const MaxWords = 24

// Module is a loaded image of kernels.
type Module struct{ module cu.Module }

// Kernel is an entry point of a module.
type Kernel struct{ function cu.Function }

// Load loads an image (cubin, fatbin or PTX). The driver refuses one made for other cards or
// for a later driver.
func (c *Context) Load(image string) (Module, error) {
	m, err := cu.LoadData(image)
	return Module{m}, describe("cuModuleLoadData", err)
}

// Kernel finds an entry point.
func (m Module) Kernel(name string) (Kernel, error) {
	f, err := m.module.Function(name)
	return Kernel{f}, describe("cuModuleGetFunction("+name+")", err)
}

// launchBuffer holds arguments where the binding finds them, so that a launch need not
// allocate.
type launchBuffer struct {
	words    [MaxWords]uint64
	pointers [MaxWords]unsafe.Pointer
}

func (b *launchBuffer) init() {
	for i := range b.words {
		b.pointers[i] = unsafe.Pointer(&b.words[i])
	}
}

// Launch puts a kernel on the stream. Each argument is in the low bytes of its word.
func (c *Context) Launch(k Kernel, grid, block [3]uint32, words []uint64) error {
	b := &c.launch
	n := copy(b.words[:], words)
	return describe("cuLaunchKernel", k.function.Launch(int(grid[0]), int(grid[1]), int(grid[2]),
		int(block[0]), int(block[1]), int(block[2]), 0, c.stream, b.pointers[:n]))
}
