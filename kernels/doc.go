// Package kernels holds the CUDA kernels of the GPU device: everything but convolutions,
// which are cuDNN's. One .cu file is one family; abi.go is their table: names, arguments,
// launch geometry.
//
// What holds for all of them:
//
//   - Arithmetic is float32. Storage is float32, or bfloat16 for images (activations):
//     a kernel with Stored set exists as name_f32 and name_bf16, where T in its signature
//     is that type. bfloat16 is rounded to nearest, ties to even, when stored.
//   - Images lie as N,H,W,C without gaps. hw is H·W, c is C. Only the layout copies, the
//     conversions and the SGLD step's gradient know a number cs ≥ c of stored channels a
//     pixel, for libraries that want an even number; the channels beyond c are written as 0.
//     Dense tensors are row-major float32.
//   - Random numbers follow backend/philox and the logical (N,C,H,W) order. A dense tensor
//     of n elements passes c = 1, hw = n.
//   - Every sum has a fixed order, which depends on the sizes alone. No atomics but an OR.
//   - Pointers need the alignment of their element; where all are aligned to four elements
//     the kernel moves four at a time.
//   - Every argument has at most eight bytes. A pointer marked "?" may be 0.
//   - Pointwise kernels may have an operand that is the destination. No other overlap.
//   - A NaN operand gives a NaN result, also through clamps and LeakyReLU.
//
// The definitions they agree with are the portable Go versions of the CPU device
// (backend/cpu/asm, pointwise_generic.go) and package backend's contract; the conformance
// suite compares. The package knows neither driver nor tensors.
package kernels
