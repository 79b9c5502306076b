package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"jem/internal/data/layout"
	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/safetensors"
)

// pictures lists a picture, or those in a folder, of which there must be some.
func pictures(path string) (*layout.Files, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no such file or folder"}
	} else if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return &layout.Files{Pictures: []string{path}}, durable.CheckRegular(path, info.Mode())
	}
	found, err := layout.Find(path)
	if err == nil && len(found.Pictures) == 0 {
		var passed layout.Passed
		passed.Add(found)
		err = &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no pictures in this folder" + passed.Instead()}
	}
	return found, err
}

// Bounds on the values of images that OpenTensor takes. Chains leave [−1,1] by some tenths;
// values beyond maxValue are pixels of 0 to 255, and so are those beyond maxBright where none is negative.
const (
	maxValue  = 10
	maxBright = 2
)

// OpenTensor reads images x (N,C,H,W), floats in [−1,1], of the given shape from a safetensors file;
// other tensors of the file are not looked at.
func OpenTensor(path string, c, h, w int) (x []float32, notes []string, err error) {
	f, err := durable.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no such file"}
	} else if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	file, err := safetensors.Open(f, info.Size())
	if err != nil {
		return nil, nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "no safetensors file that can be read", Err: err}
	}
	var names []string
	for _, e := range file.Entries {
		if names = append(names, fault.Quote(e.Name)); e.Name != "x" {
			continue
		}
		t, err := file.Tensor(e)
		if err != nil {
			return nil, nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: "no images that can be read", Err: err}
		}
		notes, err = checkImages(t, c, h, w)
		return t.F32, notes, fault.At(path, err)
	}
	return nil, nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: fmt.Sprintf("has no tensor \"x\" (N,%d,%d,%d), but others (%d): %s", c, h, w, len(names), strings.Join(names[:min(5, len(names))], ", "))}
}

// checkImages holds shape and range of images against what the model takes.
func checkImages(t safetensors.Tensor, c, h, w int) (notes []string, err error) {
	if s := t.Shape; t.F32 == nil || len(s) != 4 || s[0] == 0 || s[1] != c || s[2] != h || s[3] != w {
		return nil, fault.Badf("x has shape %v, want floats (N,%d,%d,%d) with N ≥ 1", s, c, h, w)
	}
	beyond, least, most := 0, t.F32[0], t.F32[0]
	for i, v := range t.F32 {
		if !(v >= -maxValue && v <= maxValue) { // NaN, too
			return nil, fault.Badf("x holds %g in image %d: want pixels in [-1,1]; of those of 0 to 255 make x/127.5 - 1", v, i/(c*h*w)+1)
		}
		if v < -1 || v > 1 {
			beyond++
		}
		least, most = min(least, v), max(most, v)
	}
	switch {
	case least >= 0 && most > maxBright:
		return nil, fault.Badf("x holds %g to %g, nothing below 0: want pixels in [-1,1]; of those of 0 to 255 make x/127.5 - 1", least, most)
	case least >= 0:
		notes = append(notes, "x has no value below 0: pixels are taken as in [-1,1]; if they are in [0,1], make 2x - 1 of them")
	}
	if beyond > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d values of x are outside [-1,1]; they are scored as they are", beyond, len(t.F32)))
	}
	return notes, nil
}
