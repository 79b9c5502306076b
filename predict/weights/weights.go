// Package weights takes a network's weights from one file format to another: PyTorch
// checkpoints as the official JEM code saves them, safetensors with the same names, and
// ONNX, which can only be written.
//
// What a network looks like is found in its weights: depth, width, classes and channels
// follow from names and shapes. Every tensor must be there in the shape that follows from
// them, hold finite numbers, and none may be left over, but for the two heads that the official
// network has and never uses (f.linear, energy_output).
//
// All formats and wrappings meet in one place: source.go lists what a file holds, choose.go finds the
// network in it and gives its tensors their official names, infer.go says what network that is, about.go
// what else a file says of it.
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
	"errors"
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
	About  About    // what isn't in numbers
	Notes  []string // sentences for the user: what was taken of the file, and what passed over

	Guessed bool // neither buffer nor metadata nor Options told the size of images: it is that of the published networks
}

// Options say what weights don't.
type Options struct {
	Norm  string  // none, batch, instance or layer; empty: the file's metadata, else found in the weights, where instance and layer can't be told apart
	Slope float32 // of the LeakyReLU; 0: the metadata's, or 0.2, as published
	Size  int     // image height and width; 0: the replay buffer's, or the metadata's, or 32
}

const bufferName = "replay_buffer"

// New sorts the tensors of a network; path is where they come from, for messages. buffer may
// be nil. Errors are *fault.Error.
func New(path string, tensors []Tensor, buffer *Tensor, o Options) (*Weights, error) {
	s := fromTensors(tensors)
	if buffer != nil {
		b := *buffer
		b.Name = bufferName
		s.entries = append(s.entries, fromTensors([]Tensor{b}).entries...)
	}
	return newWeights(path, s, o)
}

// newWeights reads the network in a source.
func newWeights(path string, s source, o Options) (*Weights, error) {
	w := &Weights{}
	if err := w.sort(s, o); err != nil {
		if !ofSystem(err) {
			err = bad(path, err.Error(), nil)
		}
		return nil, err
	}
	return w, nil
}

func (w *Weights) sort(s source, o Options) error {
	found, err := choose(s)
	if err != nil {
		return err
	}
	w.know(s.texts, &o)
	if w.Config, err = infer(found.byName, found.buffer, o); err != nil {
		return err
	}
	if w.Guessed = found.buffer == nil && o.Size == 0; w.Guessed {
		w.Notes = append(w.Notes, fmt.Sprintf("does not tell the size of its images: %d×%d pixels are taken, unless a data set or --size says otherwise", w.Config.Size, w.Config.Size))
	}
	for _, p := range w.Config.Layout() {
		if w.Params, err = found.take(w.Params, p.Name, p.Shape); err != nil {
			return err
		}
		if w.Stats, err = w.statistics(found, p); err != nil {
			return err
		}
	}
	if err := w.leave(found); err != nil {
		return err
	}
	w.named()
	w.Notes = append(found.about(), w.Notes...)
	return w.replay(found.buffer)
}

// take reads a float tensor of the given name and shape, and removes it from the network.
func (n *network) take(list []Tensor, name string, shape []int) ([]Tensor, error) {
	e := n.byName[name]
	if is := n.other[name]; e == nil && is != "" {
		return list, errors.New(fault.Sprintf("tensor %q is %s, want floats of shape %v", name, is, shape))
	}
	if e == nil {
		return list, errors.New(fault.Sprintf("tensor %q of shape %v is missing", name, shape))
	}
	if !slices.Equal(e.shape, shape) || !e.kind.Float() {
		return list, errors.New(fault.Sprintf("tensor %q has shape %v, want floats of shape %v", name, e.shape, shape))
	}
	t, err := e.finite(name)
	delete(n.byName, name)
	return append(list, t), err
}

// finite reads a tensor under its official name. A weight that is not a number, or infinite, is no weight.
func (e *entry) finite(name string) (Tensor, error) {
	t, err := e.read()
	if err != nil {
		return t, err
	}
	t.Name = name
	for i, v := range t.F32 {
		if v-v != 0 { // NaN and ±Inf
			return t, errors.New(fault.Sprintf("tensor %q holds %v at place %d: these weights have diverged or are damaged", name, v, i))
		}
	}
	return t, nil
}

// statistics takes those that follow a batch norm's bias.
func (w *Weights) statistics(n *network, p model.Param) (_ []Tensor, err error) {
	norm, ok := normOf(p.Name)
	if !ok || w.Config.Norm != "batch" {
		return w.Stats, nil
	}
	for _, suffix := range []string{".running_mean", ".running_var"} {
		if w.Stats, err = n.take(w.Stats, norm+suffix, p.Shape); err != nil {
			return w.Stats, err
		}
	}
	if variance := w.Stats[len(w.Stats)-1]; slices.Min(variance.F32) < 0 {
		return w.Stats, errors.New(fault.Sprintf("tensor %q holds the variance %v", variance.Name, slices.Min(variance.F32)))
	}
	return w.Stats, nil
}

// replay reads the replay buffer.
func (w *Weights) replay(e *entry) error {
	if e == nil {
		return nil
	}
	if !e.kind.Float() {
		return fmt.Errorf("tensor %q holds integers, want floats", bufferName)
	}
	t, err := e.finite(bufferName)
	w.Buffer = &t
	return err
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

// Upload puts the weights into a network of their configuration.
func (w *Weights) Upload(dev backend.Device, net *model.Network) error {
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
