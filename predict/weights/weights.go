// Package weights takes a network's weights from one file format to another: PyTorch
// checkpoints as the official JEM code saves them, safetensors with the same names, and
// ONNX, which can only be written.
//
// What a network looks like is found in its weights: depth, width, classes and channels
// follow from names and shapes. Every tensor must be there in the shape that follows from
// them, and none may be left over, but for the two heads that the official network has and
// never uses (f.linear, energy_output).
//
// It knows no device but through the contract, and no runs.
//
//	w, err := Read("last_ckpt.pt", Options{})
//	net, err := model.New(dev, w.Config, 100, 1)
//	err = w.Upload(dev, net)
package weights

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"jem/backend"
	"jem/internal/fault"
	"jem/internal/safetensors"
	"jem/model"
)

// Tensor is a named array in C order.
type Tensor = safetensors.Tensor

// Weights are a network's parameters and what belongs to them.
type Weights struct {
	Config model.Config
	Params []Tensor // in the order of Config.Layout
	Stats  []Tensor // running mean and variance of batch norms
	Unused []Tensor // f.linear, energy_output and the batch counters, as far as the file had them
	Buffer *Tensor  // replay buffer (slots,C,H,W); nil where there is none
}

// Options say what weights don't.
type Options struct {
	Norm  string  // none, batch, instance or layer; empty: found in the weights, where instance and layer can't be told apart
	Slope float32 // of the LeakyReLU; 0: 0.2, as published
	Size  int     // image height and width; 0: the replay buffer's, or 32
}

const bufferName = "replay_buffer"

// New sorts the tensors of a network; path is where they come from, for messages. buffer may
// be nil. Errors are *fault.Error.
func New(path string, tensors []Tensor, buffer *Tensor, o Options) (*Weights, error) {
	w := &Weights{Buffer: buffer}
	if err := w.sort(tensors, o); err != nil {
		return nil, &fault.Error{Path: path, Kind: fault.ErrBad, Reason: err.Error()}
	}
	return w, nil
}

func (w *Weights) sort(tensors []Tensor, o Options) (err error) {
	found := map[string]Tensor{}
	for _, t := range tensors {
		found[t.Name] = t
	}
	if w.Config, err = infer(found, w.Buffer, o); err != nil {
		return err
	}
	for _, p := range w.Config.Layout() {
		if w.Params, err = take(w.Params, found, p.Name, p.Shape); err != nil {
			return err
		}
		if w.Stats, err = w.statistics(found, p); err != nil {
			return err
		}
	}
	for _, t := range tensors {
		if _, left := found[t.Name]; left && !unused(t.Name) {
			return fmt.Errorf("tensor %q belongs to no Wide-ResNet of depth %d with norm %s", t.Name, w.Config.Depth, w.Config.Norm)
		} else if left {
			w.Unused = append(w.Unused, t)
		}
	}
	return w.checkUnused()
}

// take moves a float tensor of the given name and shape from found to list.
func take(list []Tensor, found map[string]Tensor, name string, shape []int) ([]Tensor, error) {
	t, ok := found[name]
	if !ok {
		return list, fmt.Errorf("tensor %q of shape %v is missing", name, shape)
	}
	if !slices.Equal(t.Shape, shape) || t.F32 == nil {
		return list, fmt.Errorf("tensor %q has shape %v, want floats of shape %v", name, t.Shape, shape)
	}
	delete(found, name)
	return append(list, t), nil
}

// statistics takes those that follow a batch norm's bias.
func (w *Weights) statistics(found map[string]Tensor, p model.Param) (_ []Tensor, err error) {
	norm, ok := normOf(p.Name)
	if !ok || w.Config.Norm != "batch" {
		return w.Stats, nil
	}
	for _, suffix := range []string{".running_mean", ".running_var"} {
		if w.Stats, err = take(w.Stats, found, norm+suffix, p.Shape); err != nil {
			break
		}
	}
	return w.Stats, err
}

// normOf returns the norm whose bias a parameter is, the last one of it.
func normOf(param string) (norm string, ok bool) {
	norm, ok = strings.CutSuffix(param, ".bias")
	return norm, ok && (strings.HasSuffix(norm, "bn1") || strings.HasSuffix(norm, "bn2"))
}

// Head reports whether a parameter belongs to the layer whose outputs are the classes.
func Head(param string) bool { return strings.HasPrefix(param, "class_output.") }

// Digest is a hash of parameters and statistics, as little-endian float32 in their order: it names
// the weights whatever file they came in.
func (w *Weights) Digest() string {
	sum := sha256.New()
	for _, t := range slices.Concat(w.Params, w.Stats) {
		_ = binary.Write(sum, binary.LittleEndian, t.F32) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil))
}

const counter = ".num_batches_tracked"

// unused holds for names that the official network has and makes no use of.
func unused(name string) bool {
	return strings.HasPrefix(name, "f.linear.") || strings.HasPrefix(name, "energy_output.") || strings.HasSuffix(name, counter)
}

// checkUnused sees that what is not used could be written again.
func (w *Weights) checkUnused() error {
	for _, t := range w.Unused {
		if !strings.HasSuffix(t.Name, counter) && t.F32 == nil {
			return fmt.Errorf("tensor %q holds integers, want floats", t.Name)
		}
	}
	if b := w.Buffer; b != nil && b.F32 == nil {
		return fmt.Errorf("tensor %q holds integers, want floats", bufferName)
	}
	return nil
}

// Upload puts the weights into a network of their configuration.
func (w *Weights) Upload(dev backend.Device, net *model.WideResNet) error {
	for i, p := range net.Params.List {
		dev.Upload(p.Value, w.Params[i].F32)
	}
	stats := map[string][]float32{}
	for _, t := range w.Stats {
		stats[t.Name] = t.F32
	}
	for _, s := range net.Stats {
		dev.Upload(s.Value, stats[s.Name])
	}
	dev.ParamsChanged()
	return dev.Sync()
}
