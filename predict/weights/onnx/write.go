package onnx

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"jem/internal/fault"
	"jem/internal/safetensors"
	"jem/model"
)

// maxBytes is what a protocol buffer may have.
const maxBytes = math.MaxInt32

// Write writes the network of a configuration, with all its parameters and, for batch norms,
// running statistics, under their names in the state dict, with metadata in the order of its keys.
// The bytes are a function of the arguments.
func Write(w io.Writer, c model.Config, tensors []safetensors.Tensor, metadata map[string]string) error {
	g := &graph{slope: c.Slope, norm: c.Norm}
	g.network(c)
	for _, t := range tensors {
		if g.norm == "layer" {
			t = perChannel(t)
		}
		g.constants = append(g.constants, t)
	}
	before, after := g.nodes, ends(c)
	before.text(graphName, "jem")
	total := len(before) + len(after)
	for _, t := range g.constants {
		total += len(tensorHead(t)) + 4*len(t.F32)
	}
	head := modelHead(metadata, total)
	if len(head)+total > maxBytes {
		return fault.Badf("the network takes %d bytes: an ONNX file holds at most %d, .safetensors any number", total, maxBytes)
	}
	if _, err := w.Write(append(head, before...)); err != nil {
		return err
	}
	for _, t := range g.constants {
		if err := writeTensor(w, t); err != nil {
			return err
		}
	}
	_, err := w.Write(after)
	return err
}

// modelHead is the model up to its graph of so many bytes, its last field.
func modelHead(metadata map[string]string, graph int) (m message) {
	var set message
	set.int(opsetVersion, opset)
	m.int(modelIRVersion, irVersion)
	m.text(modelProducer, "jem")
	m.message(modelOpset, set)
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		var prop message
		prop.text(propKey, key)
		prop.text(propValue, metadata[key])
		m.message(modelMetadata, prop)
	}
	m.head(modelGraph, graph)
	return m
}

// ends are the graph's description, input and outputs.
func ends(c model.Config) (m message) {
	m.text(graphDoc, "JEM "+described(c)+". image: pixels in [0,1]. log_density: LogSumExp of the logits, log p(x) up to a constant.")
	m.message(graphInput, value("image", c.InC, c.Size, c.Size))
	m.message(graphOutput, value("logits", c.Classes))
	m.message(graphOutput, value("log_density"))
	m.message(graphOutput, value("features", c.Features()))
	return m
}

// described is the network in words.
func described(c model.Config) string {
	if c.Network == model.MLP {
		return fmt.Sprintf("perceptron of %d hidden layers of %d units", c.Depth, c.Width)
	}
	return fmt.Sprintf("Wide-ResNet-%d-%d, norm %s", c.Depth, c.Width, c.Norm)
}

// value declares floats of shape (N,dims…).
func value(name string, dims ...int) (m message) {
	var shape, batch message
	batch.text(dimParam, "N")
	shape.message(shapeDim, batch)
	for _, d := range dims {
		var dim message
		dim.int(dimValue, d)
		shape.message(shapeDim, dim)
	}
	var tensor, kind message
	tensor.int(tensorElem, floats)
	tensor.message(tensorShape, shape)
	kind.message(typeTensor, tensor)
	m.text(valueName, name)
	m.message(valueType, kind)
	return m
}

// tensorHead is a tensor as a field of the graph, up to its numbers.
func tensorHead(t safetensors.Tensor) (m message) {
	var inner message
	for _, d := range t.Shape {
		inner.int(tensorDims, d)
	}
	inner.int(tensorType, floats)
	inner.text(tensorName, t.Name)
	inner = protowire.AppendTag(inner, tensorRaw, protowire.BytesType)
	inner = protowire.AppendVarint(inner, uint64(4*len(t.F32)))
	m.head(graphInitializer, len(inner)+4*len(t.F32))
	return append(m, inner...)
}

func writeTensor(w io.Writer, t safetensors.Tensor) error {
	b := tensorHead(t)
	for _, v := range t.F32 {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		if len(b) >= 1<<20 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err := w.Write(b)
	return err
}

// isNorm holds for a norm's γ and β.
func isNorm(name string) bool {
	return strings.Contains(name, "bn1.") || strings.Contains(name, "bn2.")
}
