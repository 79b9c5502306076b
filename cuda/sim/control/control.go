//go:build cuda && linux && amd64

package control

// #define _GNU_SOURCE
// #include <dlfcn.h>
// #include <stdlib.h>
//
// // The stand-in's functions are looked up, so that a program links against any libcuda.
// static void *find(const char *name) { return dlsym(RTLD_DEFAULT, name); }
// static long long counter(const char *name) { return ((long long (*)(const char *))find("simCounter"))(name); }
// static void reset(void) { ((void (*)(void))find("simReset"))(); }
// static void fail(const char *f, long long n, int error) {
//   ((void (*)(const char *, long long, int))find("simFail"))(f, n, error);
// }
// static const char *text(const char *f, size_t i) { return ((const char *(*)(size_t))find(f))(i); }
// static int present(void) { return find("simCounter") != NULL; }
import "C"

import "unsafe"

// Present reports whether the driver is the stand-in. The other functions need it.
func Present() bool { return C.present() != 0 }

// Count returns how often something happened since the process began or Reset: calls of an
// entry point, executions ("kernel:NAME"), or what cuda/sim/sim.h lists.
func Count(name string) int64 {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return int64(C.counter(c))
}

// Reset sets all counts to 0 but those of memory in use.
func Reset() { C.reset() }

// Fail lets the n-th call from now (1 is the next) of an entry point, or of any ("*"), return
// an error code. n = 0 takes the order back.
func Fail(function string, n, code int) {
	c := C.CString(function)
	defer C.free(unsafe.Pointer(c))
	C.fail(c, C.longlong(n), C.int(code))
}

// Kernels lists the kernels that the stand-in has, each with the types of its arguments as in
// "out f32, in f32, i64, f32".
func Kernels() map[string]string {
	name, types := C.CString("simKernelName"), C.CString("simKernelTypes")
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(types))
	all := map[string]string{}
	for i := C.size_t(0); ; i++ {
		n := C.text(name, i)
		if n == nil {
			return all
		}
		all[C.GoString(n)] = C.GoString(C.text(types, i))
	}
}
