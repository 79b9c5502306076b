package weights

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/safetensors"
	"jem/internal/torchfile"
	"jem/predict/weights/onnx"
)

// Formats are the extensions that Write knows; Read knows all but .onnx.
var Formats = []string{".pt", ".pth", ".safetensors", ".onnx"}

// IsFile reports whether a path's extension is one of Formats.
func IsFile(path string) bool {
	for _, f := range Formats {
		if strings.EqualFold(filepath.Ext(path), f) {
			return true
		}
	}
	return false
}

// Read reads a file, whose extension says its format. Errors that its content causes are
// *fault.Error.
func Read(path string, o Options) (*Weights, error) {
	f, err := durable.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no such file"}
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	tensors, buffer, err := content(path, f, info.Size())
	if err != nil {
		return nil, err
	}
	return New(path, tensors, buffer, o)
}

// content reads the tensors, the replay buffer apart.
func content(path string, f io.ReaderAt, size int64) ([]Tensor, *Tensor, error) {
	var pathError *fs.PathError
	switch strings.ToLower(filepath.Ext(path)) {
	case ".pt", ".pth":
		s, err := torchfile.Read(f, size)
		if err != nil && !errors.As(err, &pathError) {
			err = bad(path, "no checkpoint that can be read", err)
		}
		return s.Model, s.Buffer, err
	case ".safetensors":
		all, err := safetensors.Read(bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 1<<20), size)
		if err != nil && !errors.As(err, &pathError) {
			err = bad(path, "no safetensors file that can be read", err)
		}
		model, buffer := apart(all)
		return model, buffer, err
	case ".onnx":
		return nil, nil, bad(path, "ONNX files are only written", nil)
	}
	return nil, nil, bad(path, "want a file named .pt, .pth or .safetensors, or a run's folder", nil)
}

// apart takes the replay buffer out of a file's tensors.
func apart(all []Tensor) (model []Tensor, buffer *Tensor) {
	for _, t := range all {
		if t.Name == bufferName {
			buffer = &t
			continue
		}
		model = append(model, t)
	}
	return model, buffer
}

func bad(path, reason string, err error) error {
	return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: reason, Err: err}
}

// Write writes a file in the format of its extension, whole or not at all.
func (w *Weights) Write(path string) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".pt", ".pth":
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		return durable.Replace(path, func(out io.Writer) error {
			return torchfile.Write(out, name, torchfile.State{Model: w.StateDict(), Buffer: w.Buffer})
		})
	case ".safetensors":
		all := w.StateDict()
		if w.Buffer != nil {
			b := *w.Buffer
			b.Name = bufferName
			all = append(all, b)
		}
		return durable.Replace(path, func(out io.Writer) error { return safetensors.Write(out, all) })
	case ".onnx":
		return durable.Replace(path, func(out io.Writer) error { return onnx.Write(out, w.Config, append(w.Params, w.Stats...)) })
	}
	return fmt.Errorf("%s: unknown format: want one of %s", path, strings.Join(Formats, ", "))
}
