// Package cuda will be the GPU device: cuDNN convolutions and the kernels of package
// kernels behind the contract of package backend. Open has its final shape already, so
// that commands and scripts need not change; in this version it only says that there is
// no such device yet.
package cuda

import (
	"errors"

	"jem/backend"
)

// ErrNotBuilt says that this program has no CUDA device.
var ErrNotBuilt = errors.New("this version of jem has no CUDA device yet: use --device cpu")

// Open returns the GPU with the given ordinal as a device.
func Open(ordinal int) (backend.Device, error) { return nil, ErrNotBuilt }
