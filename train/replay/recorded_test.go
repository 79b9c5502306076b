package replay

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nlpodyssey/safetensors"

	"jem/backend/philox"
)

func testFiles(t *testing.T) []string {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no step in testdata: %v", err)
	}
	return files
}

func TestRecordedSteps(t *testing.T) {
	for _, path := range testFiles(t) {
		s, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if s.Image != [3]int{3, 32, 32} || len(s.YLab()) != s.Config.Batch || len(s.XP()) != s.Config.Batch*3072 || len(s.XLab()) != len(s.XP()) {
			t.Errorf("%s: pictures %v, %d labels, %d and %d pixels", path, s.Image, len(s.YLab()), len(s.XP()), len(s.XLab()))
		}
		if chain, ok := s.Chain(); ok && s.Tensors["sgld/x1"].F32 != nil {
			checkFirstStep(t, s, chain)
		}
		if !slices.ContainsFunc(s.Names(), func(n string) bool { return n == "grad/f.conv1.weight" }) {
			t.Errorf("%s: names as in the official state dict are missing: %v", path, s.Names())
		}
	}
}

// checkFirstStep checks x₁ = x₀ + α·grad₀ + σ·ε₀ within float32 rounding of values up to 4,
// which is what the defaults α = 1, σ = 0.01 stand for.
func checkFirstStep(t *testing.T, s *Step, c Chain) {
	t.Helper()
	for i, x := range s.Tensors["sgld/x1"].F32 {
		want := float64(c.Start[i]) + s.Config.StepSize*float64(s.Tensors["sgld/grad0"].F32[i]) + s.Config.Noise*float64(c.Noise[0][i])
		if math.Abs(float64(x)-want) > 1e-6 {
			t.Fatalf("%s: sgld/x1[%d] = %v, want %v", s.Name, i, x, want)
		}
	}
}

// The optimiser's defaults explain the recorded step: param1 from param0 and grad. For
// Adam the first step is lr·g/(|g|+ε).
func TestRecordedOptimizer(t *testing.T) {
	for _, path := range testFiles(t) {
		s, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		got := Values{}
		for name, p := range s.Params("param0/") {
			next := slices.Clone(p.F32)
			for i, g := range s.Tensors["grad/"+name].F32 {
				d := float64(g) + s.Config.WeightDecay*float64(p.F32[i])
				if s.Config.Optimizer == "adam" {
					d /= math.Abs(d) + s.Config.Eps
				}
				next[i] = float32(float64(p.F32[i]) - s.Config.LR*d)
			}
			got["param1/"+name] = next
		}
		for _, c := range s.Compare(got) {
			if c.Group == "param1" && (!c.OK || c.MaxRel > 1e-6) {
				t.Errorf("%s: %s", path, c)
			}
		}
	}
}

// own returns the step's own results.
func own(s *Step) Values {
	v := Values{}
	for name, t := range s.Tensors {
		if t.F32 != nil {
			v[name] = slices.Clone(t.F32)
		}
	}
	v.Loss(s.Loss())
	return v
}

func TestCompare(t *testing.T) {
	s, err := Read("testdata/jem_wrn10_1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, failing string // the group that must fail; none: all pass
		change        func(v Values)
	}{
		{"its own results", "", func(Values) {}},
		{"a gradient off by 2e-4 of the largest", "grad", func(v Values) { scaleLargest(v["grad/f.conv1.weight"], 1+2e-4) }},
		{"a gradient off by 5e-5 of the largest", "", func(v Values) { scaleLargest(v["grad/f.conv1.weight"], 1+5e-5) }},
		{"a chain off by 2e-5", "sgld/x1", func(v Values) { scaleLargest(v["sgld/x1"], 1+2e-5) }},
		{"the same after two steps", "", func(v Values) { scaleLargest(v["sgld/x2"], 1+1.9e-5) }},
		{"logits off by 2e-5", "out/logits_xlab", func(v Values) { scaleLargest(v["out/logits_xlab"], 1+2e-5) }},
		{"a NaN", "out/lse_xp", func(v Values) { v["out/lse_xp"][0] = float32(math.NaN()) }},
		{"a parameter not updated", "param1", func(v Values) { v["param1/f.conv1.bias"] = v["param0/f.conv1.bias"] }},
		{"a missing tensor", "grad", func(v Values) { delete(v, "grad/f.conv1.bias") }},
		{"a short tensor", "param1", func(v Values) { v["param1/f.conv1.bias"] = v["param1/f.conv1.bias"][1:] }},
		{"a missing loss", "loss", func(v Values) { delete(v, "loss/L") }},
		{"a loss off by 1e-4", "loss", func(v Values) { v["loss/L"][0] += 2.5e-4 }},
	} {
		v := own(s)
		tc.change(v)
		for _, c := range s.Compare(v) {
			if c.OK == (c.Group == tc.failing) {
				t.Errorf("%s: ok = %v: %s", tc.name, c.OK, c)
			}
		}
	}
}

func scaleLargest(v []float32, f float64) {
	at := 0
	for i, x := range v {
		if math.Abs(float64(x)) > math.Abs(float64(v[at])) {
			at = i
		}
	}
	v[at] = float32(float64(v[at]) * f)
}

// small writes a step of the joint objective for pictures (1,2,2) and 3 classes, with
// one change to its tensors, and returns its path.
func small(t *testing.T, config map[string]any, change func(map[string]safetensors.TensorView)) string {
	t.Helper()
	views := map[string]safetensors.TensorView{"in/y_lab": view(t, safetensors.I32, []uint64{2}, []byte{0, 0, 0, 0, 2, 0, 0, 0})}
	for name, shape := range map[string][]uint64{
		"in/x_p": {2, 1, 2, 2}, "in/x_lab": {2, 1, 2, 2}, "in/x0_y": {2, 1, 2, 2}, "in/noise_y": {3, 2, 1, 2, 2},
		"param0/w": {3, 4}, "param1/w": {3, 4}, "grad/w": {3, 4},
	} {
		views[name] = floats(t, shape...)
	}
	if change != nil {
		change(views)
	}
	c := map[string]any{"depth": 10, "width": 1, "classes": 3, "batch": 2, "sgld_steps": 3, "lr": 0.1, "p_x_y": 1, "optimizer": "sgd", "momentum": 0.5, "trace": []any{map[string]any{"L": 0.5, "l_pxy": 0.5}}}
	for k, v := range config {
		c[k] = v
	}
	data, err := safetensors.Serialize(views, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(t.TempDir(), "small")
	write(t, base+".safetensors", data)
	write(t, base+".json", text)
	return base
}

func view(t *testing.T, d safetensors.DType, shape []uint64, data []byte) safetensors.TensorView {
	t.Helper()
	v, err := safetensors.NewTensorView(d, shape, data)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func floats(t *testing.T, shape ...uint64) safetensors.TensorView {
	n := uint64(1)
	for _, d := range shape {
		n *= d
	}
	var data []byte
	for i := range n {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(philox.New(n, 0, philox.Test).Normal(i)))
	}
	return view(t, safetensors.F32, shape, data)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestJointStep(t *testing.T) {
	s, err := Read(small(t, nil, nil) + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	chain, ok := s.JointChain()
	if _, px := s.Chain(); px || !ok || len(chain.Noise) != 3 || len(chain.Start) != 8 || len(chain.Noise[2]) != 8 {
		t.Errorf("joint chain %v, %d steps; chain of p(x) %v", ok, len(chain.Noise), px)
	}
	if s.Config.Momentum != 0.5 || s.Config.WeightDecay != 5e-4 || s.Config.StepSize != 1 {
		t.Errorf("config %+v", s.Config)
	}
	for _, c := range s.Compare(own(s)) {
		if !c.OK {
			t.Error(c)
		}
	}
}

// A tensor that a replay doesn't know is named and not compared; labels may be int64.
func TestExtraTensors(t *testing.T) {
	s, err := Read(small(t, nil, func(v map[string]safetensors.TensorView) {
		v["out/logits_xq"] = floats(t, 2, 3)
		v["in/y_lab"] = view(t, safetensors.I64, []uint64{2}, []byte{1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0})
	}))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Extra, []string{"out/logits_xq"}) || !slices.Equal(s.YLab(), []int32{1, 2}) {
		t.Errorf("extra %v, labels %v", s.Extra, s.YLab())
	}
}

// Whatever a file holds, Read returns an error that says what is wrong.
func TestFaultyStep(t *testing.T) {
	type views = map[string]safetensors.TensorView
	for _, tc := range []struct {
		name   string
		config map[string]any
		change func(views)
		want   string
	}{
		{"depth", map[string]any{"depth": 11}, nil, "depth"},
		{"huge batch", map[string]any{"batch": 1 << 40}, nil, "batch"},
		{"batch", map[string]any{"batch": 3}, nil, "in/x_p"},
		{"optimizer", map[string]any{"optimizer": "lbfgs"}, nil, "lbfgs"},
		{"no trace", map[string]any{"trace": []any{}}, nil, "trace"},
		{"no objective", map[string]any{"p_x_y": 0}, nil, "p_x_y"},
		{"text for a number", map[string]any{"width": "two"}, nil, "width"},
		{"labels out of range", map[string]any{"classes": 2}, nil, "in/y_lab"},
		{"chain missing", map[string]any{"p_x": 1}, nil, "in/x0"},
		{"no labels", nil, func(v views) { delete(v, "in/y_lab") }, "in/y_lab"},
		{"float labels", nil, func(v views) { v["in/y_lab"] = v["param0/w"] }, "in/y_lab"},
		{"integer pixels", nil, func(v views) { v["in/x_lab"] = v["in/y_lab"] }, "in/x_lab"},
		{"other noise", nil, func(v views) { v["in/noise_y"] = v["in/x_p"] }, "in/noise_y"},
		{"no gradient", nil, func(v views) { delete(v, "grad/w") }, "grad/"},
		{"other gradient", nil, func(v views) { v["grad/w"] = v["in/x_p"] }, "grad/w"},
	} {
		_, err := Read(small(t, tc.config, tc.change))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one that names %s", tc.name, err, tc.want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.json")); err == nil {
		t.Error("a missing file is read")
	}
}

// Every truncation and every changed header byte gives an error or a valid step.
func TestTruncatedAndMutatedFiles(t *testing.T) {
	base := small(t, nil, nil)
	good, err := os.ReadFile(base + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, err := decode(good[:n]); err == nil {
			t.Fatalf("%d of %d bytes are read as a step", n, len(good))
		}
	}
	step, err := readConfig(base + ".json")
	if err != nil {
		t.Fatal(err)
	}
	header := 8 + int(binary.LittleEndian.Uint64(good))
	read := 0
	for i := range header {
		for _, b := range []byte{0, '0', '9', '-', '"', '{', 0xff} {
			bad := slices.Clone(good)
			bad[i] = b
			tensors, err := decode(bad)
			s := &Step{Config: step, Tensors: tensors}
			if err == nil && s.validate() == nil {
				read++
				_ = s.Compare(own(s))
			}
		}
	}
	// What remains readable differs in nothing that matters: the byte it had, or padding.
	if read > header {
		t.Errorf("%d of %d changed headers are read as a step", read, 7*header)
	}
	write(t, base+".json", []byte("{"))
	if _, err := Read(base); err == nil || !strings.Contains(err.Error(), "small.json") {
		t.Errorf("half a configuration: error %v, want one that names the file", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Add([]byte(fmt.Sprintf("%s%s", "\x3c\x00\x00\x00\x00\x00\x00\x00", `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}      0000`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := decode(data)
		if err != nil {
			return
		}
		for name, x := range tensors {
			n := 1
			for _, d := range x.Shape {
				n *= d
			}
			if n != x.Len() {
				t.Errorf("tensor %q: shape %v, %d values", name, x.Shape, x.Len())
			}
		}
	})
}
