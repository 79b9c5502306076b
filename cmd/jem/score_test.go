package main

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/internal/safetensors"
)

// official is a checkpoint as the official code saves it, with images and their logits.
const official = "../../internal/torchfile/testdata/official_wrn10_1_"

// tensorsOf reads a safetensors file.
func tensorsOf(t *testing.T, path string) map[string]safetensors.Tensor {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	list, err := safetensors.Read(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]safetensors.Tensor{}
	for _, x := range list {
		all[x.Name] = x
	}
	return all
}

func TestScoreAnOfficialCheckpoint(t *testing.T) {
	out := filepath.Join(t.TempDir(), "scores.safetensors")
	for _, format := range []string{"zip", "legacy"} {
		ok(t, "score", "-q", "--model", official+format+".pt", "--input", official+"expect.safetensors", "--out", out)
		got, want := tensorsOf(t, out), tensorsOf(t, official+"expect.safetensors")
		if len(got["log_px"].F32) != 4 || len(got["approx_mass"].F32) != 4 {
			t.Fatalf("%s: got %v", format, got)
		}
		for i, v := range want["logits"].F32 {
			if e := math.Abs(float64(got["logits"].F32[i] - v)); !(e < 1e-5) { // float32 sums in another order
				t.Errorf("%s: logit %d is %g, want %g", format, i, got["logits"].F32[i], v)
			}
		}
	}
}

// TestConvertRoundTrip: through every format and a run's folder the scores stay the same.
func TestConvertRoundTrip(t *testing.T) {
	dir := t.TempDir()
	in := official + "legacy.pt"
	score := func(model string) string {
		return ok(t, "score", "-q", "--format", "csv", "--model", model, "--input", official+"expect.safetensors")
	}
	want := score(in)
	for _, name := range []string{"a.safetensors", "b.pt", "run", "c.pth"} {
		out := filepath.Join(dir, name)
		var c conversion
		okJSON(t, &c, "convert", "--json", in, out)
		if c.Depth != 10 || c.Width != 1 || c.Classes != 10 || c.Norm != "none" || c.Buffer != 20 {
			t.Errorf("%s: got %+v", name, c)
		}
		if got := score(out); got != want {
			t.Errorf("%s scores otherwise:\n%swant\n%s", name, got, want)
		}
		in = out
	}
	if r := do(t, "train", "--resume", filepath.Join(dir, "run"), "--data-dir", dir); r.code != exitData || !strings.Contains(r.stderr, "--init "+filepath.Join(dir, "run")) {
		t.Errorf("resumed weights: %d %s", r.code, r.stderr)
	}
	alone := filepath.Join(dir, "run", "checkpoints", "step-00000000")
	if got := ok(t, "score", "-q", "--format", "csv", "--checkpoint", alone, "--input", official+"expect.safetensors"); got != want {
		t.Errorf("the checkpoint alone scores otherwise:\n%swant\n%s", got, want)
	}
	ok(t, "convert", in, filepath.Join(dir, "d.onnx"))
	ok(t, "convert", "--no-buffer", alone, filepath.Join(dir, "e.safetensors"))
	if _, has := tensorsOf(t, filepath.Join(dir, "e.safetensors"))["replay_buffer"]; has {
		t.Error("the replay buffer is there in spite of --no-buffer")
	}
	picture := filepath.Join(dir, "picture.png")
	ok(t, "sample", "--run", filepath.Join(dir, "run"), "--n", "4", "--steps", "1", "--out", picture)
	testScoreFormats(t, in, picture)
	images := writeCIFAR(t)
	ok(t, "eval", "--run", filepath.Join(dir, "run"), "--data-dir", images)
}

func testScoreFormats(t *testing.T, model, picture string) {
	var s scored
	okJSON(t, &s, "score", "--json", "--model", model, "--input", picture)
	if len(s.Images) != 1 || s.Images[0].Image != picture || s.Images[0].Name == "" || s.Images[0].ApproxMass >= 0 {
		t.Errorf("got %+v", s)
	}
	out := filepath.Join(t.TempDir(), "scores.csv")
	ok(t, "score", "-m", model, "-i", filepath.Dir(picture), "-o", out)
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if rows, err := csv.NewReader(f).ReadAll(); err != nil || len(rows) != 2 || rows[1][0] != picture {
		t.Errorf("got %v, %v", rows, err)
	}
	if text := ok(t, "score", "-m", model, "-i", picture); !strings.HasPrefix(text, "IMAGE") || strings.Count(text, "\n") != 2 {
		t.Errorf("got %q", text)
	}
}

func TestConvertAndScoreMistakes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile(official + "legacy.pt")
	if err != nil {
		t.Fatal(err)
	}
	good, x := official+"zip.pt", official+"expect.safetensors"
	cut := file("cut.pt", string(whole[:len(whole)-3]))
	broken := file("broken.pt", strings.Replace(string(whole), string(whole[len(whole)/4:len(whole)/4+8]), "\xff\xff\xff\x7f\xff\xff\xff\x7f", 1))
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "OUT is missing", []string{"convert", good}},
		{exitUsage, "want OUT to end in", []string{"convert", good, filepath.Join(dir, "out.txt")}},
		{exitData, "no such file", []string{"convert", filepath.Join(dir, "none.pt"), filepath.Join(dir, "a.pt")}},
		{exitData, "neither a file of weights", []string{"convert", file("a.txt", ""), filepath.Join(dir, "a.pt")}},
		{exitData, "no run folder", []string{"convert", dir, filepath.Join(dir, "a.pt")}},
		{exitData, "byte 318", []string{"convert", cut, filepath.Join(dir, "a.pt")}},
		{exitData, "not those of a network with norm batch", []string{"convert", "--norm", "batch", good, filepath.Join(dir, "a.pt")}},
		{exitUsage, `--norm "groups"`, []string{"convert", "--norm", "groups", good, filepath.Join(dir, "a.pt")}},
		{exitUsage, `--norm "groups"`, []string{"score", "--norm", "groups", "--model", good, "--input", x}},
		{exitUsage, "MODEL is missing", []string{"score", "--input", x}},
		{exitUsage, "INPUT is missing", []string{"score", "--model", good}},
		{exitUsage, "INPUT is missing", []string{"score", good}},
		{exitUsage, "--format \"xml\"", []string{"score", "--model", good, "--input", x, "--format", "xml"}},
		{exitUsage, "--out is missing", []string{"score", "--model", good, "--input", x, "--format", "safetensors"}},
		{exitData, "holds NaN at place", []string{"score", "--model", broken, "--input", x}},
		{exitData, "holds NaN at place", []string{"convert", broken, filepath.Join(dir, "a.onnx")}},
		{exitUsage, "want OUT to end in", []string{"convert", good, filepath.Join(dir, "a.safetensors.index.json")}},
		{exitUsage, "OUT is a file", []string{"convert", good, filepath.Join(dir, "a.pt"), "--data", "svhn"}},
		{exitData, "mnist has 10 classes of 32×32 images with 1", []string{"convert", saved(t, dir, good), filepath.Join(dir, "run"), "--data", "mnist"}},
		{exitData, `no tensor "x"`, []string{"score", "--model", good, "--input", saved(t, dir, good)}},
		{exitData, "is no picture", []string{"score", "--model", good, "--input", file("a.png", "x")}},
		{exitData, "no such file or folder", []string{"score", "--model", good, "--input", filepath.Join(dir, "none")}},
		{exitData, "by itself", []string{"score", "--model", good, "--input", x, "--input", x}},
	} {
		r := do(t, c.args...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) || strings.Contains(r.stderr, "goroutine") {
			t.Errorf("jem %s: exit code %d, want %d with %q\n%s", strings.Join(c.args, " "), r.code, c.code, c.want, r.stderr)
		}
	}
}

// saved is a model as a safetensors file.
func saved(t *testing.T, dir, model string) string {
	path := filepath.Join(dir, "model.safetensors")
	ok(t, "convert", model, path)
	return path
}
