package onnx

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"jem/internal/safetensors"
	"jem/model"
)

// fields takes a message apart: the contents of its fields of bytes, by number.
func fields(t *testing.T, b []byte) map[protowire.Number][][]byte {
	t.Helper()
	out := map[protowire.Number][][]byte{}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		size := protowire.ConsumeFieldValue(number, kind, b)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		if kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b)
			out[number] = append(out[number], v)
		}
		b = b[size:]
	}
	return out
}

// tensors are those of a network, zeros.
func tensors(c model.Config) (list []safetensors.Tensor) {
	for _, p := range c.Layout() {
		n := 1
		for _, d := range p.Shape {
			n *= d
		}
		list = append(list, safetensors.Tensor{Name: p.Name, Shape: p.Shape, F32: make([]float32, n)})
		if name, ok := bytes.CutSuffix([]byte(p.Name), []byte(".bias")); ok && c.Norm == "batch" && isNorm(p.Name) {
			for _, s := range []string{".running_mean", ".running_var"} {
				list = append(list, safetensors.Tensor{Name: string(name) + s, Shape: p.Shape, F32: make([]float32, n)})
			}
		}
	}
	return list
}

// TestGraphsHoldTogether: every value is there before a node takes it, none is made twice,
// every constant is used, and the outputs are made. That the numbers are right is seen by
// scripts/verify-interchange.py, which runs the graphs.
func TestGraphsHoldTogether(t *testing.T) {
	for _, norm := range []string{"none", "batch", "instance", "layer"} {
		for _, depth := range []int{10, 16} {
			c := model.Config{Depth: depth, Width: 2, Classes: 7, InC: 3, Size: 32, Norm: norm, Slope: 0.2}
			var b bytes.Buffer
			if err := Write(&b, c, tensors(c), nil); err != nil {
				t.Fatal(err)
			}
			graphs := fields(t, b.Bytes())[modelGraph]
			if len(graphs) != 1 {
				t.Fatalf("%d graphs", len(graphs))
			}
			checkGraph(t, norm, fields(t, graphs[0]))
		}
	}
}

func TestPerceptronsHoldTogether(t *testing.T) {
	for _, depth := range []int{1, 3} {
		c := model.Config{Network: model.MLP, Depth: depth, Width: 20, Classes: 7, InC: 2, Size: 1, Slope: 0.2}
		var b bytes.Buffer
		if err := Write(&b, c, tensors(c), nil); err != nil {
			t.Fatal(err)
		}
		checkGraph(t, c.Name(), fields(t, fields(t, b.Bytes())[modelGraph][0]))
	}
}

func checkGraph(t *testing.T, norm string, g map[protowire.Number][][]byte) {
	t.Helper()
	known, used := map[string]bool{"image": true}, map[string]bool{}
	for _, raw := range g[graphInitializer] {
		name := string(fields(t, raw)[tensorName][0])
		if known[name] {
			t.Errorf("%s: constant %s twice", norm, name)
		}
		known[name] = true
	}
	for _, raw := range g[graphNode] {
		n := fields(t, raw)
		for _, in := range n[nodeInput] {
			if !known[string(in)] {
				t.Errorf("%s: %s takes %s, which nothing has made", norm, n[nodeOutput][0], in)
			}
			used[string(in)] = true
		}
		out := string(n[nodeOutput][0])
		if known[out] {
			t.Errorf("%s: %s is made twice", norm, out)
		}
		known[out] = true
	}
	for _, raw := range g[graphOutput] {
		name := string(fields(t, raw)[valueName][0])
		if !known[name] {
			t.Errorf("%s: nothing makes the output %s", norm, name)
		}
		used[name] = true
	}
	for name := range known {
		if !used[name] {
			t.Errorf("%s: nothing takes %s", norm, name)
		}
	}
}

// What is written opens in runtimes that lag behind: onnxruntime-web 1.30 takes opset 26 and IR 13 at most.
func TestOldRuntimesOpenTheFile(t *testing.T) {
	if opset > 26 || irVersion > 13 {
		t.Errorf("opset %d and IR %d, want at most 26 and 13", opset, irVersion)
	}
}

// TestMetadata: texts come before the graph, in the order of their keys.
func TestMetadata(t *testing.T) {
	c := model.Config{Depth: 10, Width: 1, Classes: 2, InC: 1, Size: 16, Norm: "none", Slope: 0.2}
	var b bytes.Buffer
	if err := Write(&b, c, tensors(c), map[string]string{"size": "16", "classes": `["a"]`}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, raw := range fields(t, b.Bytes())[modelMetadata] {
		f := fields(t, raw)
		got = append(got, string(f[propKey][0])+"="+string(f[propValue][0]))
	}
	if want := []string{`classes=["a"]`, "size=16"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
