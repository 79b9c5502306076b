//go:build !amd64

package asm

import "runtime"

// Pause tells the core that it is in a spin loop, where there is a way to.
func Pause(int) {}

// Model is the processor's name for itself; here nothing more than the architecture.
func Model() string { return runtime.GOARCH }
