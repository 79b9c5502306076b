package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A perceptron's run dies and is resumed with the same bits; it answers, draws, and goes into every format and back.
func TestPerceptron(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	args := func(out string) []string {
		return []string{"train", "--preset", "shapes-demo", "--out", out, "--resume-if-there", "--steps", "4", "--set", "model.network=mlp", "--set", "model.depth=2",
			"--set", "model.width=20", "--set", "train.save_every=2", "--set", "train.log_every=1"}
	}
	ok(t, args(one)...)
	if r := doWith(t, []string{"JEM_FAILPOINT=ckpt.mkdir.before:4:exit"}, args(two)...); r.code == exitDone {
		t.Fatal("the second was to die")
	}
	ok(t, args(two)...)
	for _, file := range []string{"model", "ema", "optim", "buffer.rank000"} {
		a, err1 := os.ReadFile(filepath.Join(one, "checkpoints", "step-00000004", file+".safetensors"))
		b, err2 := os.ReadFile(filepath.Join(two, "checkpoints", "step-00000004", file+".safetensors"))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s of the resumed run differs: %v, %v", file, err1, err2)
		}
	}
	ok(t, "eval", one, "--task", "accuracy")
	ok(t, "sample", one, "--count", "8", "--out", filepath.Join(dir, "drawn.png"))

	pictures := greyPictures(t)
	from, want := one, ""
	for _, ending := range []string{"safetensors", "pt", "safetensors"} {
		to := filepath.Join(t.TempDir(), "mlp."+ending)
		if r := do(t, "convert", from, to); r.code != exitDone || !strings.Contains(r.stdout+r.stderr, "MLP-2-20") {
			t.Fatalf("convert %s %s: got %d %s%s", from, to, r.code, r.stdout, r.stderr)
		}
		r := do(t, "score", to, pictures, "--json")
		_, answers, _ := strings.Cut(r.stdout, `"image":`)
		if want == "" {
			want = answers
		}
		if r.code != exitDone || answers == "" || answers != want {
			t.Errorf("%s: got %d %s%s\nwant %s", to, r.code, r.stdout, r.stderr, want)
		}
		from = to
	}
	ok(t, "convert", from, filepath.Join(dir, "mlp.onnx"))
	for _, tc := range []struct {
		name, want string
		args       []string
	}{
		{"norms", "model.norm: \"batch\", but a network with model.network=mlp has no norms", []string{"--set", "model.network=mlp", "--set", "model.norm=batch"}},
		{"another network", "model.network: unknown name \"vit\": want wide-resnet, mlp", []string{"--set", "model.network=vit"}},
		{"no layers", "model.depth: 0 is below 1", []string{"--set", "model.network=mlp", "--set", "model.depth=0"}},
		{"another network's weights", "model.network: wide-resnet, but the weights of", []string{"--init", from}},
	} {
		r := do(t, append([]string{"train", "--preset", "shapes-demo", "--out", filepath.Join(dir, "no")}, tc.args...)...)
		if r.code != exitConfig || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("%s: got %d %s\nwant %d %s", tc.name, r.code, r.stderr, exitConfig, tc.want)
		}
	}
}
