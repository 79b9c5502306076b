// Package kernels will hold the CUDA kernels of the GPU device, embedded as one fatbin:
// the SGLD step with its Philox noise, LogSumExp, the objective's gradient at the logits,
// replay gather and scatter, the optimisers. Their definitions are the portable Go
// versions of the CPU device and internal/philox.
package kernels
