package onnx

import (
	"fmt"
	"math"
	"slices"

	"jem/internal/safetensors"
	"jem/model"
)

// normEps is that of the network's norms, PyTorch's default.
const normEps = 1e-5

// graph collects nodes and constants. Values are named by what computes them.
type graph struct {
	nodes     message
	constants []safetensors.Tensor
	slope     float32
	norm      string
}

type attr struct {
	name string
	f    *float32
	ints []int // one: an integer
	list bool
}

func ints(name string, values ...int) attr { return attr{name: name, ints: values, list: true} }

func integer(name string, v int) attr { return attr{name: name, ints: []int{v}} }

func number(name string, v float32) attr { return attr{name: name, f: &v} }

// node adds an operation, named as its output, and returns that name.
func (g *graph) node(op, output string, inputs []string, attrs ...attr) string {
	var n message
	for _, in := range inputs {
		n.text(nodeInput, in)
	}
	n.text(nodeOutput, output)
	n.text(nodeName, output)
	n.text(nodeOp, op)
	for _, a := range attrs {
		n.message(nodeAttribute, a.encode())
	}
	g.nodes.message(graphNode, n)
	return output
}

func (a attr) encode() (m message) {
	m.text(attrName, a.name)
	switch {
	case a.f != nil:
		m.float(attrFloat, math.Float32bits(*a.f))
		m.int(attrType, attrIsF)
	case a.list:
		for _, v := range a.ints {
			m.int(attrInts, v)
		}
		m.int(attrType, attrIsInts)
	default:
		m.int(attrInt, a.ints[0])
		m.int(attrType, attrIsI)
	}
	return m
}

// constant adds a small tensor.
func (g *graph) constant(name string, shape []int, values ...float32) string {
	g.constants = append(g.constants, safetensors.Tensor{Name: name, Shape: shape, F32: values})
	return name
}

func (g *graph) conv(name, x string, kernel, stride int) string {
	pad := kernel / 2
	return g.node("Conv", name, []string{x, name + ".weight", name + ".bias"},
		ints("kernel_shape", kernel, kernel), ints("strides", stride, stride), ints("pads", pad, pad, pad, pad))
}

// activate is norm and LeakyReLU; name is the norm's.
func (g *graph) activate(name, x string) string {
	switch scale, shift := name+".weight", name+".bias"; g.norm {
	case "batch":
		x = g.node("BatchNormalization", name, []string{x, scale, shift, name + ".running_mean", name + ".running_var"}, number("epsilon", normEps))
	case "instance":
		x = g.node("InstanceNormalization", name, []string{x, scale, shift}, number("epsilon", normEps))
	case "layer":
		x = g.layerNorm(name, x)
	}
	return g.node("LeakyRelu", name+".act", []string{x}, number("alpha", g.slope))
}

// layerNorm is a group norm of one group, over C, H and W of each image:
// γ·(x − mean)/√(var + ε) + β with γ and β a channel.
func (g *graph) layerNorm(name, x string) string {
	over := []attr{ints("axes", 1, 2, 3), integer("keepdims", 1)}
	mean := g.node("ReduceMean", name+".mean", []string{x}, over...)
	centred := g.node("Sub", name+".centred", []string{x, mean})
	square := g.node("Mul", name+".square", []string{centred, centred})
	variance := g.node("ReduceMean", name+".variance", []string{square}, over...)
	sum := g.node("Add", name+".sum", []string{variance, "epsilon"})
	root := g.node("Sqrt", name+".root", []string{sum})
	unit := g.node("Div", name+".unit", []string{centred, root})
	scaled := g.node("Mul", name+".scaled", []string{unit, name + ".weight"})
	return g.node("Add", name, []string{scaled, name + ".bias"})
}

// network adds all operations.
func (g *graph) network(c model.Config) {
	x := g.node("Mul", "doubled", []string{"image", g.constant("two", nil, 2)})
	x = g.node("Sub", "x", []string{x, g.constant("one", nil, 1)})
	if c.Network == model.MLP {
		x = g.perceptron(c, x)
	} else {
		x = g.residual(c, x)
	}
	x = g.linear("logits", x, "class_output")
	g.node("ReduceLogSumExp", "log_density", []string{x}, ints("axes", 1), integer("keepdims", 0))
}

// linear is x·wᵀ + b with the parameters of the given name.
func (g *graph) linear(output, x, name string) string {
	return g.node("Gemm", output, []string{x, name + ".weight", name + ".bias"}, integer("transB", 1))
}

// perceptron adds a perceptron's hidden layers; the last one's outputs are the features.
func (g *graph) perceptron(c model.Config, x string) string {
	x = g.node("Flatten", "pixels", []string{x}, integer("axis", 1))
	for i := range c.Depth {
		name := fmt.Sprintf("%s%d", model.HiddenLayers, i)
		output := name + ".act"
		if i == c.Depth-1 {
			output = "features"
		}
		x = g.node("LeakyRelu", output, []string{g.linear(name, x, name)}, number("alpha", g.slope))
	}
	return x
}

// residual adds a Wide-ResNet's layers up to the features.
func (g *graph) residual(c model.Config, x string) string {
	if g.norm == "layer" {
		g.constant("epsilon", nil, normEps)
	}
	x = g.conv("f.conv1", x, 3, 1)
	in := 16
	for s := range 3 {
		for i := range (c.Depth - 4) / 6 {
			stride := 1
			if s > 0 && i == 0 {
				stride = 2
			}
			out := 16 * c.Width << s
			x = g.block(fmt.Sprintf("f.layer%d.%d", s+1, i), x, stride, stride != 1 || in != out)
			in = out
		}
	}
	x = g.activate("f.bn1", x)
	x = g.node("GlobalAveragePool", "pooled", []string{x})
	return g.node("Flatten", "features", []string{x}, integer("axis", 1))
}

// block is conv₂(φ(norm₂ conv₁(φ(norm₁ x)))) + shortcut x; the stride is conv₂'s.
func (g *graph) block(name, x string, stride int, convolve bool) string {
	h := g.activate(name+".bn1", x)
	h = g.conv(name+".conv1", h, 3, 1)
	h = g.activate(name+".bn2", h)
	h = g.conv(name+".conv2", h, 3, stride)
	short := x
	if convolve {
		short = g.conv(name+".shortcut.0", x, 1, stride)
	}
	return g.node("Add", name, []string{h, short})
}

// perChannel gives the layer norms' γ and β the shape (C,1,1), to be spread over H and W.
func perChannel(t safetensors.Tensor) safetensors.Tensor {
	if len(t.Shape) == 1 && isNorm(t.Name) {
		t.Shape = append(slices.Clone(t.Shape), 1, 1)
	}
	return t
}
