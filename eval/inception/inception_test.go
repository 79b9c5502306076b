package inception

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/backend/cpu"
	"jem/internal/fault"
	"jem/internal/safetensors"
	"jem/internal/torchfile"
)

// expected are the answers of pytorch-fid's and torch-fidelity's networks, see testdata/gen.py.
func expected(t *testing.T) map[string]torchfile.Tensor {
	t.Helper()
	b, err := os.ReadFile("testdata/expect.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	list, err := safetensors.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]torchfile.Tensor{}
	for _, x := range list {
		all[x.Name] = x
	}
	return all
}

// near compares in units of the largest wanted value.
func near(t *testing.T, what string, got, want []float32, bound float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	top, worst, at := 0.0, 0.0, 0
	for i, w := range want {
		top = max(top, math.Abs(float64(w)))
		if e := math.Abs(float64(got[i] - w)); !(e <= worst) {
			worst, at = e, i
		}
	}
	t.Logf("%s: largest error %.2g of %.3g", what, worst, top)
	if !(worst <= bound*top) {
		t.Errorf("%s[%d]: got %g, want %g: error %.2g of %.3g, bound %g", what, at, got[at], want[at], worst, top, bound)
	}
}

// TestNetworkAgreesWithPyTorch: two float32 networks of 47 convolutions in sequence, of which
// each may err by u·Σ|ab| times a few (6 for direct sums, 64 for Winograd's, backendtest), some
// of it in one direction. Random errors of 64·u·|value| a layer add up to √47·64·u = 2.6e-5.
// A wrong tap, pool border or resizing is off by a percent and more.
func TestNetworkAgreesWithPyTorch(t *testing.T) {
	const bound = 2.6e-5
	want := expected(t)
	w, err := fold(state())
	if err != nil {
		t.Fatal(err)
	}
	dev, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	n := New(dev, w, PyTorch)
	defer n.Close()
	for _, n.Mode = range []Mode{PyTorch, TensorFlow} {
		a, err := n.Run(images(), 3, 32)
		if err != nil {
			t.Fatal(err)
		}
		near(t, string(n.Mode)+".features", a.Features, want[string(n.Mode)+".features"].F32, bound)
		near(t, string(n.Mode)+".logits", a.Logits, want[string(n.Mode)+".logits"].F32, bound)
	}
	checkBatches(t, n)
}

// checkBatches: an image's answers don't depend on those beside it, bit for bit.
func checkBatches(t *testing.T, n *Network) {
	t.Helper()
	many := slices.Repeat(images()[:3*32*32], Batch+1)
	a, err := n.Run(many, 3, 32)
	if err != nil {
		t.Fatal(err)
	}
	for i := range Batch + 1 {
		if !slices.Equal(a.Features[i*Features:(i+1)*Features], a.Features[:Features]) {
			t.Errorf("image %d of %d equal ones has other features", i, Batch+1)
		}
	}
}

// TestResizeAgrees: interpolation is three roundings of numbers up to 1 here, and PyTorch's
// weights have float32 coordinates, off by 32·u in a slope of up to 2.
func TestResizeAgrees(t *testing.T) {
	want := expected(t)
	rows := []int{0, 1, 7, 150, 297, 298}
	for _, m := range []Mode{PyTorch, TensorFlow} {
		dst := make([]float32, 3*3*Side*Side)
		m.Resize(dst, images(), 3, 32)
		var got []float32
		for _, r := range rows {
			got = append(got, dst[((1*3+2)*Side+r)*Side:][:Side]...)
		}
		near(t, string(m), got, want[string(m)+".resized"].F32, 64.0/(1<<24)+6.0/(1<<24))
	}
}

func TestResizeClampsAndSpreadsGrey(t *testing.T) {
	for _, m := range []Mode{PyTorch, TensorFlow} {
		src := []float32{-7, 7, float32(math.NaN()), 0}
		dst := make([]float32, 3*Side*Side)
		m.Resize(dst, src, 1, 2)
		plane := dst[:Side*Side]
		if !slices.Equal(plane, dst[Side*Side:2*Side*Side]) || !slices.Equal(plane, dst[2*Side*Side:]) {
			t.Errorf("%s: channels of a grey image differ", m)
		}
		if plane[0] != m.scale(-1) || plane[Side-1] != m.scale(1) || slices.ContainsFunc(plane, func(v float32) bool { return !(v >= -1 && v <= 1) }) {
			t.Errorf("%s: corners %g and %g, or values outside [-1,1]", m, plane[0], plane[Side-1])
		}
	}
}

func write(t *testing.T, tensors []torchfile.Tensor) string {
	t.Helper()
	var b bytes.Buffer
	if err := torchfile.Write(&b, "w", torchfile.State{Model: tensors}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "w.pth")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadRefuses(t *testing.T) {
	change := func(name string, f func(*torchfile.Tensor)) []torchfile.Tensor {
		all := state()
		i := slices.IndexFunc(all, func(x torchfile.Tensor) bool { return x.Name == name })
		f(&all[i])
		return all
	}
	nan := func(x *torchfile.Tensor) { x.F32[0] = float32(math.NaN()) }
	for want, tensors := range map[string][]torchfile.Tensor{
		`"Conv2d_1a_3x3.conv.weight" is missing`:             {{Name: "fc.bias", Shape: []int{Classes}, F32: make([]float32, Classes)}},
		`"fc.bias" has shape [1000], want`:                   change("fc.bias", func(x *torchfile.Tensor) { x.Shape, x.F32 = []int{1000}, x.F32[:1000] }),
		`"Mixed_7c.branch1x1.bn.bias" holds NaN`:             change("Mixed_7c.branch1x1.bn.bias", nan),
		`"Mixed_5b.branch1x1.bn.running_var" holds the vari`: change("Mixed_5b.branch1x1.bn.running_var", func(x *torchfile.Tensor) { x.F32[3] = -1 }),
		`"AuxLogits.fc.weight" belongs to another network`:   append(state(), torchfile.Tensor{Name: "AuxLogits.fc.weight", Shape: []int{1}, F32: []float32{1}}),
	} {
		_, err := fold(tensors)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestFiles: a whole file is read and known by its hash; missing, cut and other files are
// refused with the file's name and what to do.
func TestFiles(t *testing.T) {
	whole := write(t, state())
	w, err := Read(whole)
	if err != nil {
		t.Fatal(err)
	}
	if w.IsPublished() || len(w.SHA256) != 64 {
		t.Errorf("weights of a formula have hash %s, published %v", w.SHA256, w.IsPublished())
	}
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flipped := bytes.Clone(content)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct {
		path string
		kind error
	}{
		"none":    {filepath.Join(dir, "none"), fault.ErrMissing},
		"folder":  {dir, fault.ErrBad},
		"cut":     {file("cut", content[:len(content)/2]), fault.ErrBad},
		"flipped": {file("flipped", flipped), fault.ErrBad},
		"empty":   {file("empty", nil), fault.ErrBad},
		"text":    {file("text", []byte("a page of HTML")), fault.ErrBad},
		"other":   {write(t, state()[:7]), fault.ErrBad},
	} {
		_, err := Read(c.path)
		if !errors.Is(err, c.kind) || !strings.HasPrefix(err.Error(), c.path) {
			t.Errorf("%s: got %v, want %v of %s", name, err, c.kind, c.path)
		}
	}
}
