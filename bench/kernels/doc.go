// Package kernels measures the parts of a training step on a device: the convolutions of a
// network, each direction by itself, and the memory traffic of all other operations.
// (Whole training steps: timing.Measure.)
//
// Times are of the wall clock. The package draws no conclusions.
package kernels
