//go:build cuda && linux && amd64

package driver

// #include <cuda.h>
import "C"

import (
	"errors"
	"fmt"
	"reflect"
)

// Error is a call that the driver refused, or that reports trouble of earlier work.
type Error struct {
	Call string // as in "cuMemAlloc"
	Code int    // CUresult
	Text string // the driver's name and sentence for it
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%d)", e.Call, e.Text, e.Code) }

// OutOfMemory reports whether there was no memory for the call.
func (e *Error) OutOfMemory() bool { return e.Code == C.CUDA_ERROR_OUT_OF_MEMORY }

// describe turns an error of the binding into an *Error; nil stays nil.
func describe(call string, err error) error {
	if err == nil {
		return nil
	}
	// The binding's error type is an int that it doesn't export.
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if v := reflect.ValueOf(inner); v.Kind() == reflect.Int {
			return failed(call, C.CUresult(v.Int()))
		}
	}
	return fmt.Errorf("%s: %w", call, err)
}

// failed turns a driver's result into an *Error, or nil.
func failed(call string, code C.CUresult) error {
	if code == C.CUDA_SUCCESS {
		return nil
	}
	e := &Error{Call: call, Code: int(code), Text: "unknown error"}
	var text *C.char
	if C.cuGetErrorName(code, &text) == C.CUDA_SUCCESS && text != nil {
		e.Text = C.GoString(text)
	}
	if C.cuGetErrorString(code, &text) == C.CUDA_SUCCESS && text != nil {
		e.Text += ", " + C.GoString(text)
	}
	return e
}
