//go:build cuda && linux && amd64

package dnn

// The binding has no cudnnSetStream, keeps the text of errors to itself, and panics where a
// handle can't be made.

// #cgo LDFLAGS: -lcudnn
// #include <cudnn.h>
//
// static cudnnStatus_t set_stream(cudnnHandle_t handle, void *stream) { return cudnnSetStream(handle, (cudaStream_t)stream); }
//
// #ifndef JEM_COMPAT_CUDNN_H
// #error "cuda/compat/include must come first among the include folders: build with make cuda"
// #endif
//
// /* last_words is what cuDNN 9 says about the call before, on the same thread. */
// static void last_words(char *text, size_t n) {
// #if CUDNN_MAJOR >= 9
// 	cudnnGetLastErrorString(text, n);
// #endif
// }
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	cudnn "gorgonia.org/cu/dnn"
)

// Error is a call that cuDNN refused.
type Error struct {
	Call   string
	Status int
	Text   string // cuDNN's name for the status and its last words about it
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%d)", e.Call, e.Text, e.Status) }

// OutOfMemory reports whether the library found no memory, the host's or the card's.
func (e *Error) OutOfMemory() bool {
	return e.Status == C.CUDNN_STATUS_ALLOC_FAILED || e.Status == deviceAllocationFailed
}

// deviceAllocationFailed is CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, which is new in 9.
const deviceAllocationFailed = 4004

// failed turns a status into an *Error, or nil. It must follow the call at once.
func failed(call string, s C.cudnnStatus_t) error {
	if s == C.CUDNN_STATUS_SUCCESS {
		return nil
	}
	e := &Error{Call: call, Status: int(s), Text: C.GoString(C.cudnnGetErrorString(s))}
	var text [512]C.char
	C.last_words(&text[0], C.size_t(len(text)))
	if words := C.GoString(&text[0]); words != "" {
		e.Text += ": " + words
	}
	return e
}

// wrap turns an error of the binding, whose type is an int, into an *Error.
func wrap(call string, err error) error {
	var status cudnn.Status
	if errors.As(err, &status) {
		return failed(call, C.cudnnStatus_t(status))
	}
	return err
}

// Handle is a cuDNN context that works on one stream. All its methods belong to the thread
// whose CUDA context it was made in.
type Handle struct{ context *cudnn.Context }

// Open makes a handle for the stream (a CUstream).
func Open(stream unsafe.Pointer) (h *Handle, err error) {
	defer func() {
		if r := recover(); r != nil {
			refused, ok := r.(error)
			if !ok {
				panic(r)
			}
			err = wrap("cudnnCreate", refused)
		}
	}()
	h = &Handle{cudnn.NewContext()}
	if err := failed("cudnnSetStream", C.set_stream(h.c(), stream)); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// c is the handle itself, the binding's first field.
func (h *Handle) c() C.cudnnHandle_t { return *(*C.cudnnHandle_t)(unsafe.Pointer(h.context)) }

// Close gives the handle back.
func (h *Handle) Close() error { return wrap("cudnnDestroy", h.context.Close()) }

// Version is the library's version, as in "9.19.0".
func Version() string {
	v := int(C.cudnnGetVersion())
	if v >= 90000 {
		return fmt.Sprintf("%d.%d.%d", v/10000, v/100%100, v%100)
	}
	return fmt.Sprintf("%d.%d.%d", v/1000, v/100%10, v%100)
}
