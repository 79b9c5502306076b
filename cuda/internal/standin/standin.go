//go:build cuda && linux && amd64

package standin

// #define _GNU_SOURCE
// #include <dlfcn.h>
// #include <stdlib.h>
//
// typedef long long (*counter)(const char *);
// typedef void (*reset)(void);
// typedef void (*order)(const char *, long long, int);
//
// static int present(void) { return dlsym(RTLD_DEFAULT, "simCounter") != NULL; }
// static long long count(const char *name) { return ((counter)dlsym(RTLD_DEFAULT, "simCounter"))(name); }
// static void clear(void) { ((reset)dlsym(RTLD_DEFAULT, "simReset"))(); }
// static void fail(const char *function, long long n, int error) { ((order)dlsym(RTLD_DEFAULT, "simFail"))(function, n, error); }
import "C"

import "unsafe"

// Present reports whether the process runs on the stand-in.
func Present() bool { return C.present() != 0 }

// Count returns how often something happened since the process began or Reset: an entry
// point's name, "kernel:" and a kernel's, or one of those that cuda/sim/sim.h lists.
func Count(name string) int {
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	return int(C.count(c))
}

// Reset begins counting anew.
func Reset() { C.clear() }

// Fail lets the n-th call from now on (1 = the next) of an entry point, or of any ("*"), fail
// with an error code; n = 0 takes the order back.
func Fail(function string, n, code int) {
	c := C.CString(function)
	defer C.free(unsafe.Pointer(c))
	C.fail(c, C.longlong(n), C.int(code))
}
