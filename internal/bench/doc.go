// Package bench measures what training costs on a device: whole steps, the share of the
// convolutions in them, each distinct convolution of a network, and what the processor's
// multiply-add units could do at best.
//
// Times are of the wall clock; a result names its device. The package draws no conclusions.
package bench
