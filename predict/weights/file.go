package weights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/safetensors"
	"jem/internal/torchfile"
	"jem/predict/weights/onnx"
)

// Formats are the extensions that Write knows; Read knows all but .onnx, some more of torch.save's, and the
// index of a safetensors file in several parts.
var Formats = []string{".pt", ".pth", ".safetensors", ".onnx"}

// alike are the extensions of files that torch.save wrote, too: Lightning's, Hugging Face's, model.pth.tar.
var alike = []string{".ckpt", ".bin", ".tar"}

// IsFile reports whether a path's ending is that of a file of weights.
func IsFile(path string) bool {
	return Writes(path) || isIndex(path) || slices.Contains(alike, ending(path))
}

// ending is a path's extension in lower case.
func ending(path string) string { return strings.ToLower(filepath.Ext(path)) }

// Writes reports whether a path's extension is one of Formats.
func Writes(path string) bool { return slices.Contains(Formats, ending(path)) }

func isIndex(path string) bool { return strings.HasSuffix(strings.ToLower(path), indexEnding) }

// Read reads a file, whose extension says its format. Errors that its content causes are
// *fault.Error.
func Read(path string, o Options) (*Weights, error) {
	var s source
	var files []*os.File
	var err error
	if isIndex(path) {
		s, files, err = openShards(path)
	} else if whole := wholeOf(path); whole != "" {
		return nil, bad(path, whole, nil)
	} else {
		var f *os.File
		s, f, err = openFile(path)
		files = append(files, f)
	}
	defer func() {
		for _, f := range files {
			f.Close() // only read from; a nil *os.File says so and no more
		}
	}()
	if err != nil {
		return nil, err
	}
	w, err := newWeights(path, s, o)
	if err == nil && w.About.Source == "" {
		w.About.Source = filepath.Base(path)
	}
	return w, err
}

// openFile opens a file that lies in one piece.
func openFile(path string) (s source, f *os.File, err error) {
	f, err = durable.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no such file"}
	} else if err != nil {
		return s, nil, err
	}
	info, err := f.Stat()
	if err == nil {
		s, err = open(path, f, info.Size())
	}
	return s, f, err
}

func bad(path, reason string, err error) error {
	return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: reason, Err: err}
}

// ofSystem tells trouble of the file system from trouble with a file's content.
func ofSystem(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}

// Write writes a file in the format of its extension, whole or not at all.
func (w *Weights) Write(path string) error {
	switch ending(path) {
	case ".pt", ".pth":
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		return durable.Replace(path, func(out io.Writer) error {
			return torchfile.Write(out, name, torchfile.State{Model: w.StateDict(), Buffer: w.Buffer, Metadata: w.metadata(signed)})
		})
	case ".safetensors":
		all := w.StateDict()
		if w.Buffer != nil {
			b := *w.Buffer
			b.Name = bufferName
			all = append(all, b)
		}
		return durable.Replace(path, func(out io.Writer) error { return safetensors.WriteWith(out, w.metadata(signed), all) })
	case ".onnx":
		return durable.Replace(path, func(out io.Writer) error {
			return onnx.Write(out, w.Config, slices.Concat(w.Params, w.Stats), w.metadata(unsigned))
		})
	}
	return fmt.Errorf("%s: unknown format: want one of %s", path, strings.Join(Formats, ", "))
}
