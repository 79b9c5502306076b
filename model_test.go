package jem_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"jem"
	"jem/backend/cpu"
	"jem/backend/philox"
	"jem/internal/data"
	"jem/predict"
	"jem/predict/weights"
)

// official is a checkpoint that the published code saved: ten classes of 3×32×32.
const official = "internal/torchfile/testdata/official_wrn10_1_zip.pt"

func open(t *testing.T, options ...jem.Option) *jem.Model {
	t.Helper()
	m, err := jem.Open(official, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// noise is n images of U[−1,1) noise for the official network.
func noise(n int) []float32 {
	x := make([]float32, n*3*32*32)
	philox.New(5, 0, philox.Restart).FillUniform(x, -1, 1)
	return x
}

// picture is a picture with transparent parts, not a square, with the file that has it.
func picture(t *testing.T) (image.Image, string) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(3, 5, 53, 75))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.png")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return img, path
}

// TestScoresAreTheProgramsToTheBit: what jem score says of a file, by the code beneath it.
func TestScoresAreTheProgramsToTheBit(t *testing.T) {
	img, path := picture(t)
	m := open(t, jem.ApproxMass())
	got, err := m.Score(t.Context(), img, img)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	p, _, err := predict.OpenFile(dev, official, weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := p.Config.Data.Pictures()
	o.Size = 32
	album, _, err := data.OpenAlbum([]string{path}, o)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.Score(t.Context(), predict.Want{}, 1, album.Next, nil)
	if err != nil {
		t.Fatal(err)
	}
	class, confidence := want.Class(0)
	for _, s := range got {
		if s.Class != class || !slices.Equal(s.Logits, want.Logits) || float32(s.LogPx) != want.LogPx[0] || float32(s.ApproxMass) != want.ApproxMass[0] || s.Confidence != confidence {
			t.Errorf("%+v, want class %d with %v, logits %v, log p(x) %v, mass %v", s, class, confidence, want.Logits, want.LogPx, want.ApproxMass)
		}
		sum := 0.0
		for _, v := range s.Probabilities {
			sum += v
		}
		if s.Name != p.Classes[class] || math.Abs(sum-1) > 1e-12 { // ten roundings of 2⁻⁵³ each
			t.Errorf("%s, probabilities that add up to %v", s.Name, sum)
		}
	}
}

func TestTensorsAreScoredInTheirOrder(t *testing.T) {
	m := open(t)
	x := noise(300) // more than a batch
	all, err := m.ScoreTensor(t.Context(), x)
	if err != nil || len(all) != 300 {
		t.Fatalf("%d scores, error %v", len(all), err)
	}
	for _, i := range []int{0, 255, 256, 299} {
		one, err := m.ScoreTensor(t.Context(), x[i*3072:(i+1)*3072])
		if err != nil || !slices.Equal(one[0].Logits, all[i].Logits) {
			t.Errorf("image %d by itself: %v, error %v, want %v", i, one, err, all[i].Logits)
		}
	}
	if none, err := m.ScoreTensor(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of nothing: %v, %v", none, err)
	}
}

func TestDrawnImages(t *testing.T) {
	m := open(t)
	draw := func(class int, o ...jem.DrawOption) []jem.Sample {
		t.Helper()
		s, err := m.Draw(t.Context(), class, 3, append(o, jem.Steps(2))...)
		if err != nil || len(s) != 3 {
			t.Fatalf("%d samples, error %v", len(s), err)
		}
		return s
	}
	same := func(a, b []jem.Sample) bool {
		return slices.EqualFunc(a, b, func(a, b jem.Sample) bool { return slices.Equal(a.Pixels, b.Pixels) })
	}
	a := draw(4)
	if b := draw(4); !same(a, b) {
		t.Error("drawn twice with one seed, they differ")
	}
	if b := draw(4, jem.Seed(2)); same(a, b) {
		t.Error("another seed, and the same images")
	}
	if b := draw(5); same(a, b) {
		t.Error("another class, and the same images")
	}
	seen, err := m.ScoreTensor(t.Context(), a[1].Pixels)
	if err != nil || !slices.Equal(seen[0].Logits, a[1].Logits) {
		t.Errorf("a sample is scored as %v, error %v, and said to be %v", seen, err, a[1].Logits)
	}
	img := a[0].Image()
	r, _, _, _ := img.At(31, 2).RGBA()
	if want := uint32(math.Round((float64(max(-1, min(1, a[0].Pixels[2*32+31])))+1)/2*255)) * 0x101; r != want || img.Bounds() != image.Rect(0, 0, 32, 32) {
		t.Errorf("a picture of %v with red %d, want %d", img.Bounds(), r, want)
	}
}

// TestManyGoroutines: each gets its own answers, also while others draw, and whoever gives up waiting does no harm.
func TestManyGoroutines(t *testing.T) {
	m := open(t)
	x := noise(8)
	want, err := m.ScoreTensor(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			got, err := m.ScoreTensor(t.Context(), x[i*3072:(i+1)*3072])
			if err != nil || !slices.Equal(got[0].Logits, want[i].Logits) {
				t.Errorf("goroutine %d: %v, error %v", i, got, err)
			}
			if i == 3 {
				if _, err := m.Draw(t.Context(), jem.AnyClass, 1, jem.Fresh(), jem.Steps(1)); err != nil {
					t.Error(err)
				}
			}
			if _, err := m.ScoreTensor(over, x); !errors.Is(err, context.Canceled) {
				t.Errorf("with a context that has ended: %v", err)
			}
		})
	}
	wait.Wait()
}

func TestWhatIsRefused(t *testing.T) {
	m := open(t)
	if err := open(t).Close(); err != nil {
		t.Error(err)
	}
	x := noise(2)
	x[3072+7] = float32(math.NaN())
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"no file":          {func() error { _, err := jem.Open("nowhere.pt"); return err }, "nowhere.pt"},
		"no run":           {func() error { _, err := jem.Open(t.TempDir()); return err }, "no run folder"},
		"no checkpoint":    {func() error { _, err := jem.Open(official, jem.Checkpoint("best")); return err }, "only a run has several"},
		"half an image":    {func() error { _, err := m.ScoreTensor(t.Context(), x[:100]); return err }, "100 values"},
		"not a number":     {func() error { _, err := m.ScoreTensor(t.Context(), x); return err }, "image 2 of 2 has a value of NaN"},
		"no picture":       {func() error { _, err := m.Score(t.Context(), nil); return err }, "image 1 of 1 has no pixels"},
		"an empty picture": {func() error { _, err := m.Score(t.Context(), image.NewRGBA(image.Rect(0, 0, 9, 0))); return err }, "no pixels"},
		"no class":         {func() error { _, err := m.Draw(t.Context(), 10, 1); return err }, "class 10: want 0 to 9"},
		"no images":        {func() error { _, err := m.Draw(t.Context(), 1, 0); return err }, "at least 1"},
		"steps":            {func() error { _, err := m.Draw(t.Context(), 1, 1, jem.Steps(-1)); return err }, "at least 0"},
	} {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a sentence with %q", name, err, c.want)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := m.ScoreTensor(t.Context(), noise(1)); !errors.Is(err, jem.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := m.Close(); !errors.Is(err, jem.ErrClosed) {
		t.Errorf("a second Close: %v", err)
	}
}

// elsewhere is the go.mod of a module that requires this one and, as go mod tidy would write it, all that this one
// does: what else is known of those is then not looked up, and may not be there.
func elsewhere(t *testing.T, here string) string {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var ours struct {
		Go      string
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(out, &ours); err != nil || len(ours.Require) == 0 {
		t.Fatalf("%s: %v", out, err)
	}
	text := "module elsewhere\n\ngo " + ours.Go + "\n\nreplace jem => " + here + "\n\nrequire (\n\tjem v0.0.0\n"
	for _, r := range ours.Require {
		text += "\t" + r.Path + " " + r.Version + "\n"
	}
	return text + ")\n"
}

// TestAnotherModuleUsesTheLibrary compiles a program outside this module, with what this one requires, and runs it.
func TestAnotherModuleUsesTheLibrary(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": elsewhere(t, here),
		"go.sum": read(t, "go.sum"),
		"main.go": `package main

import (
	"context"
	"encoding/json"
	"os"

	"jem"
	"jem/tensors"

	"gorgonia.org/tensor"
)

func main() {
	m, err := jem.Open(os.Args[1], jem.Threads(1))
	if err != nil {
		panic(err)
	}
	defer m.Close()
	c, h, w := m.Shape()
	scores, err := tensors.Score(context.Background(), m, tensor.New(tensor.WithShape(2, c, h, w), tensor.Of(tensor.Float32)))
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(scores)
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "run", ".", filepath.Join(here, official))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var got []jem.Score
	if err := json.Unmarshal(out, &got); err != nil || len(got) != 2 {
		t.Fatalf("%s: %v", out, err)
	}
	want, err := open(t).ScoreTensor(t.Context(), make([]float32, 3*32*32))
	if err != nil || !slices.Equal(got[1].Logits, want[0].Logits) {
		t.Errorf("logits %v there, %v here (%v)", got[1].Logits, want, err)
	}
}
