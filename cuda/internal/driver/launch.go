//go:build cuda && linux && amd64

package driver

// The binding's Launch builds its list of arguments in fresh C memory, through Go pointers. While
// Go collects garbage such a store reads what was there before, and where that is an old address
// of Go's (freed memory of the C library that made threads holds some) the collector stops the
// program: "found pointer to free object". So the list is built on C's side.

// #include <cuda.h>
// #include <stdint.h>
//
// enum { MAX_WORDS = 24 };
//
// static CUresult launch(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, CUstream stream, const uint64_t *words, int n) {
// 	void *arguments[MAX_WORDS];
// 	for (int i = 0; i < n; i++)
// 		arguments[i] = (void *)&words[i];
// 	return cuLaunchKernel(f, gx, gy, gz, bx, by, bz, 0, stream, arguments, NULL);
// }
import "C"

import (
	"unsafe"

	"gorgonia.org/cu"
)

// MaxWords is the largest number of a kernel's arguments.
const MaxWords = C.MAX_WORDS

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

// Launch puts a kernel on the stream. Each of at most MaxWords arguments is in the low bytes of
// its word.
func (c *Context) Launch(k Kernel, grid, block [3]uint32, words []uint64) error {
	f := *(*C.CUfunction)(unsafe.Pointer(&k.function))
	return failed("cuLaunchKernel", C.launch(f, C.uint(grid[0]), C.uint(grid[1]), C.uint(grid[2]), C.uint(block[0]), C.uint(block[1]), C.uint(block[2]),
		c.cstream(), (*C.uint64_t)(unsafe.SliceData(words)), C.int(len(words))))
}
