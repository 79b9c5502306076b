package weights

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"jem/backend"
	"jem/backend/cpu"
	"jem/internal/fault"
	"jem/internal/safetensors"
	"jem/model"
)

const testdata = "../../internal/torchfile/testdata/official_wrn10_1_"

// expected are the tensors that the official code gave for the checkpoints in testdata.
func expected(t *testing.T) map[string]Tensor {
	t.Helper()
	b, err := os.ReadFile(testdata + "expect.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	list, err := safetensors.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Tensor{}
	for _, x := range list {
		all[x.Name] = x
	}
	return all
}

// logits runs images (N,C,H,W) through the weights' network.
func logits(t *testing.T, w *Weights, x Tensor) []float32 {
	t.Helper()
	dev, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	net, err := model.New(dev, w.Config, x.Shape[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Upload(dev, net); err != nil {
		t.Fatal(err)
	}
	in := dev.New(backend.Image, x.Shape...)
	dev.Upload(in, x.F32)
	out := make([]float32, x.Shape[0]*w.Config.Classes)
	if err := dev.Download(out, net.Forward(in, model.Mode{})); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOfficialCheckpointsGiveTheOfficialLogits(t *testing.T) {
	want := expected(t)
	for _, format := range []string{"zip", "legacy"} {
		w, err := Read(testdata+format+".pt", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c := (model.Config{Depth: 10, Width: 1, Classes: 10, InC: 3, Size: 32, Norm: "none", Slope: 0.2}); w.Config != c {
			t.Errorf("%s: network %+v, want %+v", format, w.Config, c)
		}
		for i, got := range logits(t, w, want["x"]) {
			// Float32 sums of some hundred terms in another order: a few roundings of 6e-8.
			if e := math.Abs(float64(got - want["logits"].F32[i])); !(e < 1e-5) {
				t.Errorf("%s: logit %d is %g, want %g", format, i, got, want["logits"].F32[i])
			}
		}
		if !slices.Equal(w.Buffer.F32, want["replay_buffer"].F32) {
			t.Errorf("%s: another replay buffer", format)
		}
	}
}

func TestWhatIsWrittenReadsTheSame(t *testing.T) {
	first, err := Read(testdata+"legacy.pt", Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"w.pt", "w.pth", "w.safetensors", "W.PT"} {
		path := filepath.Join(dir, name)
		if err := first.Write(path); err != nil {
			t.Fatal(err)
		}
		if again, err := Read(path, Options{}); err != nil || !reflect.DeepEqual(again, first) {
			t.Errorf("%s: not the same weights: %v", name, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 4 {
		t.Errorf("%d files are left, want 4 (%v)", len(left), err)
	}
}

// made are weights of a network with the given norm, each value different.
func made(t *testing.T, norm string) *Weights {
	t.Helper()
	return filled(model.Config{Depth: 10, Width: 1, Classes: 3, InC: 1, Size: 16, Norm: norm, Slope: 0.2})
}

func filled(c model.Config) *Weights {
	w := &Weights{Config: c}
	add := func(list []Tensor, name string, shape []int) []Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i+1) / float32(n)
		}
		return append(list, Tensor{Name: name, Shape: shape, F32: v})
	}
	for _, p := range c.Layout() {
		w.Params = add(w.Params, p.Name, p.Shape)
		if name, ok := normOf(p.Name); ok && c.Norm == "batch" {
			w.Stats = add(add(w.Stats, name+".running_mean", p.Shape), name+".running_var", p.Shape)
		}
	}
	return w
}

func TestNorms(t *testing.T) {
	for _, norm := range []string{"none", "batch", "instance", "layer"} {
		w := made(t, norm)
		for _, name := range []string{"w.pt", "w.safetensors"} {
			path := filepath.Join(t.TempDir(), name)
			if err := w.Write(path); err != nil {
				t.Fatal(err)
			}
			again, err := Read(path, Options{Norm: norm, Size: 16})
			if err != nil || !reflect.DeepEqual(again.Params, w.Params) || !reflect.DeepEqual(again.Stats, w.Stats) || again.Config != w.Config {
				t.Errorf("%s %s: not the same weights: %v", norm, name, err)
			}
			if again, err := Read(path, Options{}); err != nil || again.Config != w.Config {
				t.Errorf("%s %s, of which its metadata tell norm and size: %v", norm, name, err)
			}
		}
		_, err := New("file", w.StateDict(), nil, Options{})
		if told := norm == "none" || norm == "batch"; told != (err == nil) {
			t.Errorf("%s without being told the norm: %v", norm, err)
		}
	}
}

// TestPerceptrons: their images are told by the metadata, a size or the buffer, else guessed of the first layer's inputs.
func TestPerceptrons(t *testing.T) {
	for _, images := range [][2]int{{2, 1}, {3, 32}, {1, 28}, {5, 3}} {
		w := filled(model.Config{Network: model.MLP, Depth: 2, Width: 5, Classes: 3, InC: images[0], Size: images[1], Norm: "none", Slope: 0.1})
		for _, name := range []string{"w.pt", "w.safetensors"} {
			path := filepath.Join(t.TempDir(), name)
			if err := w.Write(path); err != nil {
				t.Fatal(err)
			}
			if again, err := Read(path, Options{}); err != nil || !reflect.DeepEqual(again.Params, w.Params) || again.Config != w.Config || again.Guessed {
				t.Errorf("%s: %+v (%v), want %+v", name, again, err, w.Config)
			}
		}
		again, err := New("file", w.StateDict(), nil, Options{Slope: 0.1})
		if err != nil || !again.Guessed || again.Config.Pixels() != w.Config.Pixels() || images[0] != 5 && again.Config != w.Config {
			t.Errorf("without metadata: %+v (%v), want %+v", again, err, w.Config)
		}
		buffer := Tensor{Shape: []int{1, images[0], images[1], images[1]}, F32: make([]float32, w.Config.Pixels())}
		if again, err := New("file", w.StateDict(), &buffer, Options{Slope: 0.1}); err != nil || again.Config != w.Config {
			t.Errorf("with a buffer: %+v (%v), want %+v", again, err, w.Config)
		}
	}
	w := filled(model.Config{Network: model.MLP, Depth: 2, Width: 5, Classes: 3, InC: 2, Size: 1, Norm: "none", Slope: 0.2})
	for want, change := range map[string]func() ([]Tensor, *Tensor, Options){
		"are no images of 8×8 pixels": func() ([]Tensor, *Tensor, Options) { return w.StateDict(), nil, Options{Size: 8} },
		"want (slots,channels,size,size)": func() ([]Tensor, *Tensor, Options) {
			return w.StateDict(), &Tensor{Shape: []int{1, 3}, F32: make([]float32, 3)}, Options{}
		},
		`tensor "f.hidden.1.bias" of shape [5] is mi`: func() ([]Tensor, *Tensor, Options) {
			return append(w.StateDict()[:3:3], w.StateDict()[4:]...), nil, Options{}
		},
		`"f.extra" belongs to no perceptron of 2`: func() ([]Tensor, *Tensor, Options) {
			return append(w.StateDict(), Tensor{Name: "f.extra", Shape: []int{1}, F32: []float32{0}}), nil, Options{}
		},
		"a network with norm batch": func() ([]Tensor, *Tensor, Options) { return w.StateDict(), nil, Options{Norm: "batch"} },
	} {
		tensors, buffer, o := change()
		if _, err := New("file", tensors, buffer, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestStateDictHasTheOfficialNames: with and without heads in the file.
func TestStateDictHasTheOfficialNames(t *testing.T) {
	w, err := Read(testdata+"zip.pt", Options{})
	if err != nil {
		t.Fatal(err)
	}
	with := w.StateDict()
	w.Unused = nil
	without := w.StateDict()
	if len(with) != 24 || with[18].Name != "f.linear.weight" || with[20].Name != "energy_output.weight" || with[23].Name != "class_output.bias" {
		t.Errorf("%d tensors in another order than the official", len(with))
	}
	for i, a := range with {
		b := without[i]
		if a.Name != b.Name || !slices.Equal(a.Shape, b.Shape) || len(a.F32) != len(b.F32) {
			t.Errorf("%s %v without heads is %s %v", a.Name, a.Shape, b.Name, b.Shape)
		}
	}
}

func TestRefuses(t *testing.T) {
	change := func(f func(map[string]*Tensor)) []Tensor {
		w := made(t, "batch")
		list := w.StateDict()
		byName := map[string]*Tensor{}
		for i := range list {
			byName[list[i].Name] = &list[i]
		}
		f(byName)
		return slices.DeleteFunc(list, func(x Tensor) bool { return x.Name == "" })
	}
	drop := func(name string) []Tensor {
		return change(func(m map[string]*Tensor) { m[name].Name = "" })
	}
	rename := func(from, to string) []Tensor {
		return change(func(m map[string]*Tensor) { m[from].Name = to })
	}
	all := change(func(map[string]*Tensor) {})
	for _, c := range []struct {
		name, want string
		tensors    []Tensor
		o          Options
	}{
		{"nothing", "no network of the official", nil, Options{}},
		{"a missing bias", `"f.layer3.0.conv2.bias" of shape [64] is missing`, drop("f.layer3.0.conv2.bias"), Options{}},
		{"a missing statistic", `"f.bn1.running_var" of shape [64] is missing`, drop("f.bn1.running_var"), Options{}},
		{"something else", `"optimizer" belongs to no`, rename("f.linear.bias", "optimizer"), Options{}},
		{"integers", "want floats", change(func(m map[string]*Tensor) {
			m["f.conv1.bias"].I32, m["f.conv1.bias"].F32 = make([]int32, 16), nil
		}), Options{}},
		{"another shape", "has shape [1 16]", change(func(m map[string]*Tensor) { m["f.conv1.bias"].Shape = []int{1, 16} }), Options{}},
		{"another norm", "not those of a network with norm layer", all, Options{Norm: "layer"}},
		{"an unknown norm", `unknown norm "act"`, all, Options{Norm: "act"}},
		{"a second block without its parts", "f.layer1.1", append(all, Tensor{Name: "f.layer1.1.conv1.weight", Shape: []int{0}, F32: []float32{}}), Options{}},
	} {
		_, err := New("file", c.tensors, nil, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, fault.ErrBad) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := New("file", all, &Tensor{Shape: []int{2, 3, 16, 16}, F32: make([]float32, 2*3*256)}, Options{}); err == nil {
		t.Error("a colour replay buffer of a grey network was accepted")
	}
}

func TestFilesThatCantBeRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, path := range map[string]string{
		"no such file":             filepath.Join(dir, "none.pt"),
		"byte 0: neither begin":    write("a.pt", "what a nice day it is"),
		"no safetensors file":      write("a.safetensors", "short"),
		"only written":             write("a.onnx", ""),
		"want a file named .pt":    write("a.txt", ""),
		"is a folder":              dir,
		"byte 0: neither begin of": write("empty.pt", ""),
	} {
		_, err := Read(path, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}
