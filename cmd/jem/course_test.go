package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/eval"
	"jem/internal/picture"
	"jem/internal/rundir"
)

// One command begins a run, goes on with it and finds it done, as a scheduler repeats it.
func TestStartOrResume(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	args := func(more ...string) []string {
		return append([]string{"train", "--preset", "shapes-demo", "--out", out, "--resume-if-there", "--steps", "4", "--set", "train.save_every=2", "--set", "train.log_every=1", "--conv-algo", "direct", "--threads", "1"}, more...)
	}
	if r := doWith(t, []string{"JEM_FAILPOINT=ckpt.mkdir.before:4:exit"}, args()...); r.code == exitDone {
		t.Fatalf("the first start was to die: %s", r.stderr)
	}
	for i, want := range []string{`resuming {"run": "` + out + `", "step": 2`, "the run is finished"} {
		if r := do(t, args()...); r.code != exitDone || !strings.Contains(r.stderr, want) {
			t.Errorf("start %d: got %d %s", i+2, r.code, r.stderr)
		}
	}
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"other settings", args("--lr", "0.5"), exitConfig, "optim.lr: the run has 0.01, now 0.5 is asked for"},
		{"nothing but the folder", []string{"train", "--out", out, "--resume-if-there"}, exitDone, "the run is finished"},
		{"without --out", []string{"train", "--resume-if-there"}, exitUsage, "name a folder"},
		{"with --resume", []string{"train", "--resume", out, "--resume-if-there"}, exitUsage, "--resume-if-there goes with --out"},
		{"a folder of other things", []string{"train", "--out", filepath.Dir(jem), "--resume-if-there", "--preset", "shapes-demo"}, exitBusy, ""},
	} {
		if r := do(t, tc.args...); r.code != tc.code || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("%s: got %d %s\nwant %d %s", tc.name, r.code, r.stderr, tc.code, tc.want)
		}
	}
	d, err := rundir.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if r := do(t, args()...); r.code != exitBusy {
		t.Errorf("held by another: got %d %s", r.code, r.stderr)
	}
}

// greyPictures are three pictures a class of 24×24 pixels, dark ones and light ones.
func greyPictures(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i := range 6 {
		img := image.NewGray(image.Rect(0, 0, 24, 24))
		for p := range img.Pix {
			img.Pix[p] = uint8(60 + i + 120*(i%2))
		}
		class := filepath.Join(dir, []string{"dark", "light"}[i%2])
		if err := errors.Join(os.MkdirAll(class, 0o777), picture.WritePNG(filepath.Join(class, fmt.Sprintf("%d.png", i)), img)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Training begins with the weights of a run or of its file, on other classes, too, and needs neither
// when it is resumed.
func TestTrainingFromWeights(t *testing.T) {
	from, dir := shapesRun(t), t.TempDir()
	file := filepath.Join(dir, "model.safetensors")
	ok(t, "convert", from, file)
	args := func(out, init string, more ...string) []string {
		return append([]string{"train", "--preset", "shapes-demo", "--out", filepath.Join(dir, out), "--init", init, "--steps", "2", "--set", "optim.warmup=0", "--quiet", "--conv-algo", "direct"}, more...)
	}
	ok(t, args("run", from)...)
	ok(t, args("file", file)...)
	weights := func(out, checkpoint string) string {
		b, err := os.ReadFile(filepath.Join(dir, out, "checkpoints", checkpoint, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if weights("run", "step-00000002") != weights("file", "step-00000002") {
		t.Error("from a run and from its file other weights came")
	}
	var before, after eval.Result
	okJSON(t, &before, "eval", from, "--json", "--quiet")
	okJSON(t, &after, "eval", "--checkpoint", filepath.Join(dir, "run", "checkpoints", "step-00000000"), "--json", "--quiet")
	if before.Weights != after.Weights || before.Accuracy != after.Accuracy {
		t.Errorf("step 0 has %+v, the run it began with %+v", after, before)
	}
	own := args("own", file, "--dataset", "folder", "--data-dir", greyPictures(t), "--set", "data.grey=true", "--set", "data.size=16", "--set", "data.valid=2", "--batch", "2", "--set", "sampler.start=uniform", "--set", "train.save_every=1")
	if r := do(t, append(own, "--log-format", "json", "--quiet=false")...); r.code != exitDone || !strings.Contains(r.stderr, "the last layer is new: 5 classes there, 2 here") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
	if err := errors.Join(os.Remove(file), os.RemoveAll(filepath.Join(dir, "own", "checkpoints", "step-00000002"))); err != nil {
		t.Fatal(err)
	}
	want := weights("own", "step-00000001")
	ok(t, "train", "--resume", filepath.Join(dir, "own"), "--quiet")
	if weights("own", "step-00000002") == want {
		t.Error("nothing was trained after the resume")
	}
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{args("no", file), exitData, "jem: train.init: " + file + ": no such file"},
		{args("no", from, "--set", "model.width=2"), exitConfig, "jem: model.width: 2, but the weights of " + from + " are of a network with 1"},
		{args("no", from, "--dataset", "cifar10", "--data-dir", writeCIFAR(t), "--set", "data.valid=20"), exitConfig, "for images of 1 channels, those of the data have 3"},
		{[]string{"train", "--resume", filepath.Join(dir, "own"), "--init", from}, exitUsage, "jem: --init begins a run"},
	} {
		if r := do(t, tc.args...); r.code != tc.code || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("got %d %s\nwant %d %s", r.code, r.stderr, tc.code, tc.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "no")); err == nil {
		t.Error("a run that was refused left its folder")
	}
}

// A finished run with a cosine gets longer: the rate follows a new cosine from there, which log and
// records say, and what is resumed again ends with the same bits.
func TestLengtheningAFinishedRun(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	ok(t, "train", "--preset", "shapes-demo", "--out", one, "--steps", "4", "--set", "optim.warmup=0", "--set", "train.save_every=2", "--set", "train.log_every=1", "--quiet", "--conv-algo", "direct", "--threads", "1")
	if err := os.CopyFS(two, os.DirFS(one)); err != nil {
		t.Fatal(err)
	}
	r := do(t, "train", "--resume", one, "--allow-changes", "--steps", "8")
	if want := "the run has 8 steps now, 4 before: from step 4 on the learning rate follows the cosine that ends with it, 0.005 there instead of 0"; r.code != exitDone || !strings.Contains(r.stderr, want) {
		t.Errorf("got %d %s\nwant %s", r.code, r.stderr, want)
	}
	if r := doWith(t, []string{"JEM_FAILPOINT=metrics.write:7:exit"}, "train", "--resume", two, "--allow-changes", "--steps", "8"); r.code == exitDone {
		t.Fatal("the second was to die")
	}
	ok(t, "train", "--resume", two, "--quiet")
	var rates [2][]float64
	for i, run := range []string{one, two} {
		records, _, err := rundir.ReadMetrics(rundir.Path(run).Metrics())
		if err != nil {
			t.Fatal(err)
		}
		notes := 0
		for _, r := range records {
			if r.Kind == "train" {
				rates[i] = append(rates[i], r.Values["lr"])
			} else if r.Kind == "note" {
				notes++
			}
		}
		if notes != 1 {
			t.Errorf("%s: %d notes, want one", run, notes)
		}
	}
	if !slices.Equal(rates[0], rates[1]) || len(rates[0]) != 8 || math.Abs(rates[0][4]-0.005) > 1e-9 || rates[0][7] >= rates[0][5] {
		t.Errorf("learning rates %v and %v", rates[0], rates[1])
	}
	for _, file := range []string{"model", "ema", "optim", "buffer.rank000"} {
		a, err1 := os.ReadFile(filepath.Join(one, "checkpoints", "step-00000008", file+".safetensors"))
		b, err2 := os.ReadFile(filepath.Join(two, "checkpoints", "step-00000008", file+".safetensors"))
		if err := errors.Join(err1, err2); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v", file, err)
		}
	}
	for _, tc := range []struct{ args, want string }{
		{"--steps 16", "train.steps: the run has 8, now 16 is asked for: add --allow-changes"},
		{"--allow-changes --steps 7", "train.steps: the run has 8, now 7 is asked for: 8 steps have been taken already"},
		{"--allow-changes --epochs 99", "train.epochs: the run has 25, now 99 is asked for: train.steps, 8, says where the run ends"},
	} {
		if r := do(t, append([]string{"train", "--resume", one}, strings.Fields(tc.args)...)...); r.code != exitConfig || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("%s: got %d %s", tc.args, r.code, r.stderr)
		}
	}
}
