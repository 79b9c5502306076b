// Package cuda is the GPU device: cuDNN convolutions and the kernels of package kernels
// behind the contract of package backend, through gorgonia.org/cu.
//
// It is built with the tag cuda on linux/amd64 only (make cuda): its binary needs NVIDIA's
// libraries, and gorgonia.org/cu ends a program that has no driver before main begins. In
// other builds Open says so.
//
// How it works:
//
//   - One locked OS thread owns the context, its one stream and cuDNN's handle; verbs hand
//     their calls to it and return when they are enqueued. See internal/driver.
//   - Image tensors lie as N,H,W,C. In bfloat16 mode an image may be held in the first half
//     of its memory, see half.go.
//   - A convolution is one fused call of cuDNN's graph API where the library has one for the
//     card, else a bare call with a kernel around it, see conv.go.
//   - A sampling chain is captured in its second run and replayed from then on, see chain.go.
//   - The first error sticks: all later verbs do nothing, Sync and Download return it.
//
// The package knows tensors and operations, not networks or training.
package cuda
