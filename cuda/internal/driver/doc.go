// Package driver is a card's context with its one stream, owned by one OS thread: memory,
// kernels, copies and captured graphs through gorgonia.org/cu, and small shims for what that
// lacks.
//
// It knows addresses and bytes, not tensors. Without the build tag cuda it is empty.
package driver
