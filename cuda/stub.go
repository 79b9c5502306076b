//go:build !(cuda && linux && amd64)

package cuda

import (
	"errors"

	"jem/backend"
)

// Built reports whether this program has a CUDA device.
const Built = false

// ErrNotBuilt says that this program has no CUDA device.
var ErrNotBuilt = errors.New("this binary has no CUDA device: build one with make cuda (linux/amd64), or use --device cpu")

// Open returns ErrNotBuilt in this build.
func Open(o Options) (backend.Device, error) {
	if _, err := o.normal(); err != nil {
		return nil, err
	}
	return nil, ErrNotBuilt
}
