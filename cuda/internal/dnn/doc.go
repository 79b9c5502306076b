// Package dnn plans and runs convolutions with cuDNN, in two ways: through the graph API,
// with what surrounds a convolution fused to it (graph.c), and through the legacy calls.
//
// It knows memory addresses and sizes, not tensors of package backend, and chooses nothing:
// package cuda decides which of the two serves a layer. Without the build tag cuda it is empty.
package dnn
