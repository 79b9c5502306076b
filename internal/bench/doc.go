// Package bench measures the convolutions of a network on a device, each direction by
// itself. (Whole training steps: train.BenchStep.)
//
// Times are of the wall clock. The package draws no conclusions.
package bench
