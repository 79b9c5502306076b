package inception

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"jem/internal/data"
	"jem/internal/durable"
	"jem/internal/fault"
	"jem/internal/torchfile"
)

// Published is the SHA-256 of the weights file that FID and Inception Score are computed with.
const Published = data.InceptionSHA256

// epsilon is added to the variances of batch norms.
const epsilon = 0.001

// maxFile bounds what Read opens; the published file has 95.6 MB.
const maxFile = 512 << 20

// Weights are the network's, batch norms folded into the convolutions.
type Weights struct {
	SHA256 string // of the file

	kernels map[string][]float32 // (OutC,InC,kh,kw) by layer
	biases  map[string][]float32
	fc      []float32 // (Classes,Features)
	fcBias  []float32
}

// IsPublished reports whether the file is the published one, the condition for calling
// figures FID and Inception Score.
func (w *Weights) IsPublished() bool { return w.SHA256 == Published }

// Read reads a weights file. Errors about it are *fault.Error.
func Read(path string) (*Weights, error) {
	f, err := durable.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Path: path, Kind: fault.ErrMissing, Reason: "no such file; jem data fetch inception downloads the weights"}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	bad := func(reason string) error { return &fault.Error{Path: path, Kind: fault.ErrBad, Reason: reason} }
	if info.Size() > maxFile {
		return nil, bad(fmt.Sprintf("has %d bytes, more than weights of Inception can have", info.Size()))
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return nil, err
	}
	state, err := stateDict(f, info.Size())
	if damaged := (*torchfile.FormatError)(nil); errors.As(err, &damaged) {
		return nil, bad(err.Error() + "; want pt_inception-2015-12-05 as jem data fetch inception downloads it")
	}
	if err != nil {
		return nil, err
	}
	w, err := fold(state)
	if err != nil {
		return nil, bad("no weights of the Inception network of 2015: " + err.Error())
	}
	w.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return w, nil
}

// stateDict reads the tensors of a file, which is one dict or the official layout of this program's own.
func stateDict(r io.ReaderAt, size int64) (all []torchfile.Tensor, err error) {
	f, err := torchfile.Open(r, size)
	if err != nil {
		return nil, err
	}
	for _, e := range f.Entries {
		if !e.Type.Float() && !e.Type.Whole() {
			continue
		}
		t, err := f.Tensor(e)
		if err != nil {
			return nil, err
		}
		t.Name = strings.TrimPrefix(t.Name, "model_state_dict.")
		all = append(all, t)
	}
	return all, nil
}

// fold sorts a state dict. Every tensor must be there in its shape, and none may be left.
func fold(state []torchfile.Tensor) (*Weights, error) {
	w := &Weights{kernels: map[string][]float32{}, biases: map[string][]float32{}}
	found := map[string]torchfile.Tensor{}
	for _, t := range state {
		found[t.Name] = t
	}
	layers, _ := network()
	for i := range layers {
		if l := &layers[i]; l.kind != maximum {
			if err := w.layer(found, l); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if w.fc, err = take(found, "fc.weight", Classes, Features); err != nil {
		return nil, err
	}
	if w.fcBias, err = take(found, "fc.bias", Classes); err != nil {
		return nil, err
	}
	for _, t := range state {
		if _, left := found[t.Name]; left {
			return nil, errors.New(fault.Sprintf("tensor %q belongs to another network", t.Name))
		}
	}
	return w, nil
}

// layer folds y = γ·(x∗w − μ)/√(σ²+ε) + β into one kernel and bias.
func (w *Weights) layer(found map[string]torchfile.Tensor, l *layer) error {
	var parts [4][]float32
	kernel, err := take(found, l.name+".conv.weight", l.out, l.channels(), l.kh, l.kw)
	if err != nil {
		return err
	}
	for i, name := range []string{"weight", "bias", "running_mean", "running_var"} {
		if parts[i], err = take(found, l.name+".bn."+name, l.out); err != nil {
			return err
		}
	}
	delete(found, l.name+".bn.num_batches_tracked")
	gamma, beta, mean, variance := parts[0], parts[1], parts[2], parts[3]
	bias := make([]float32, l.out)
	per := len(kernel) / l.out
	for o := range l.out {
		if variance[o] < 0 {
			return fmt.Errorf("tensor %q holds the variance %g", l.name+".bn.running_var", variance[o])
		}
		scale := float64(gamma[o]) / math.Sqrt(float64(variance[o])+epsilon)
		for i := range per {
			kernel[o*per+i] = float32(float64(kernel[o*per+i]) * scale)
		}
		bias[o] = float32(float64(beta[o]) - float64(mean[o])*scale)
	}
	w.kernels[l.name], w.biases[l.name] = kernel, bias
	return nil
}

// take removes a float tensor of the given name and shape.
func take(found map[string]torchfile.Tensor, name string, shape ...int) ([]float32, error) {
	t, ok := found[name]
	if !ok {
		return nil, fmt.Errorf("tensor %q is missing", name)
	}
	if !slices.Equal(t.Shape, shape) || t.F32 == nil {
		return nil, errors.New(fault.Sprintf("tensor %q has shape %v, want floats of shape %v", name, t.Shape, shape))
	}
	for _, v := range t.F32 {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("tensor %q holds %v", name, v)
		}
	}
	delete(found, name)
	return t.F32, nil
}
