//go:build cuda && linux && amd64

package cuda

// Built reports whether this program has a CUDA device.
const Built = true
