package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/internal/checkpoint"
	"jem/internal/safetensors"
)

// rewritten is a safetensors file with something before the names of its weights, nothing said about them and, if
// buffer doesn't hold, no replay buffer.
func rewritten(t *testing.T, path, before string, buffer bool) string {
	t.Helper()
	var list []safetensors.Tensor
	for name, x := range tensorsOf(t, path) {
		if x.Name = before + name; buffer || name != "replay_buffer" {
			list = append(list, x)
		}
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, list); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "wrapped.safetensors")
	if err := os.WriteFile(out, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return out
}

// A network of pictures that no published set has keeps its names, size and scores through every format and
// wrapping, and comes back into a run.
func TestOwnNetworksComeBack(t *testing.T) {
	run, dir, picture := shapesRun(t), t.TempDir(), filepath.Join(greyPictures(t), "dark", "0.png")
	at := func(name string) string { return filepath.Join(dir, name) }
	score := func(model string) string {
		r := do(t, "score", model, picture, "--format", "csv", "--ground", "white")
		if opened := `"network": "WRN-10-1", "norm": "none", "classes": 5, "channels": 1, "size": 16`; r.code != exitDone || !strings.Contains(r.stderr, opened) {
			t.Errorf("%s: exit code %d, want one line with %s, got %s", model, r.code, opened, r.stderr)
		}
		return r.stdout
	}
	ok(t, "convert", run, at("a.pt"))
	ok(t, "convert", at("a.pt"), at("b.safetensors"))
	ok(t, "convert", at("b.safetensors"), at("back"))
	want := score(run)
	for _, model := range []string{at("a.pt"), at("b.safetensors"), at("back")} {
		if got := score(model); got != want {
			t.Errorf("%s scores otherwise:\n%swant\n%s", model, got, want)
		}
	}
	ok(t, "eval", at("back"), "--quiet")
	bare := rewritten(t, at("b.safetensors"), "_orig_mod.module.", false)
	ok(t, "convert", bare, at("again"), "--data", "shapes")
	ok(t, "eval", at("again"), "--quiet")
	if got := score(at("again")); got != want {
		t.Errorf("from bare weights and the name of their set:\n%swant\n%s", got, want)
	}
	for want, args := range map[string][]string{
		"--data fashion-mnist, or the folder of its pictures": nil,
		"has 2 classes, the network tells 5 apart":            {"--data-dir", filepath.Dir(filepath.Dir(picture))},
		"mnist has 10 classes of 32×32 images":                {"--data", "mnist"},
		`no data set "none"`:                                  {"--data", "none"},
	} {
		if r := do(t, append([]string{"convert", bare, at("no")}, args...)...); r.code != exitData || !strings.Contains(r.stderr, want) || !strings.Contains(r.stderr, bare) {
			t.Errorf("%v: exit code %d, want 65 with %q\n%s", args, r.code, want, r.stderr)
		}
	}
	if _, err := os.Stat(at("no")); err == nil {
		t.Error("a refused conversion left a folder")
	}
}

// Weights that are not numbers are refused wherever they are opened, by the tensor's name.
func TestWeightsThatAreNoNumbers(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(run, os.DirFS(shapesRun(t))); err != nil {
		t.Fatal(err)
	}
	last, _, err := checkpoint.Latest(filepath.Join(run, "checkpoints"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := checkpoint.Open(filepath.Join(run, "checkpoints"))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range []string{"model", "buffer.rank000"} {
		x := &last.Files[file][0]
		if averaged := last.Files["ema"]; file == "model" && averaged != nil {
			x = &averaged[0]
		}
		before := x.F32[0]
		x.F32[0] = float32(math.Inf(1))
		if _, err := store.Save(last.Step+1+i, last.Files, last.State); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		want := `"` + x.Name + `" holds +Inf at place 0`
		if file != "model" {
			want = `"replay_buffer" holds +Inf at place 0`
		}
		for _, args := range [][]string{{"sample", run, "--out", out + ".png"}, {"convert", run, out + ".pt"}, {"convert", run, out + ".onnx"}, {"convert", run, out}, {"eval", run}, {"score", run, filepath.Join(run, "report.html")}} {
			if r := do(t, append(args, "--quiet")...); r.code != exitData || !strings.Contains(r.stderr, want) {
				t.Errorf("%v: exit code %d, want 65 with %s\n%s", args, r.code, want, r.stderr)
			}
		}
		if left, err := filepath.Glob(out + "*"); err != nil || len(left) > 0 {
			t.Errorf("left %v, %v", left, err)
		}
		x.F32[0] = before
	}
}
