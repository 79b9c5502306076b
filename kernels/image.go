//go:build cuda

package kernels

import (
	"embed"
	"errors"
	"io/fs"
)

// compiled holds what `make kernels` writes; the folder's note keeps the pattern matching
// where nothing has been compiled.
//
//go:embed fatbin
var compiled embed.FS

// ErrNotCompiled says that this program was built before the kernels were.
var ErrNotCompiled = errors.New("built without CUDA kernels: run make kernels, then build again")

// Image is a compiled module for the driver to load.
type Image struct {
	Name string // file name
	Data string
}

// Images returns the embedded fatbins, newest toolkit first: the first one that the driver
// accepts is the one to use.
func Images() ([]Image, error) {
	names, err := fs.Glob(compiled, "fatbin/*.fatbin")
	if err != nil || len(names) == 0 {
		return nil, ErrNotCompiled
	}
	images := make([]Image, len(names))
	for i, name := range names {
		data, err := compiled.ReadFile(name)
		if err != nil {
			return nil, err
		}
		images[len(names)-1-i] = Image{name[len("fatbin/"):], string(data)}
	}
	return images, nil
}
