package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"jem/predict/predicttest"
	"jem/predict/weights"
)

// ofSide is a file of weights for pictures of another size.
func ofSide(t *testing.T, side int) string {
	t.Helper()
	w, err := weights.Read(predicttest.OfficialFile(), weights.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w.Config.Size = side
	w.Buffer = &weights.Tensor{Name: "replay_buffer", Shape: []int{1, w.Config.InC, side, side}, F32: make([]float32, w.Config.InC*side*side)}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := w.Write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// limited runs the program with so many MiB of address space.
func limited(t *testing.T, mib string, args ...string) (said string, code int) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", "ulimit -v $((" + mib + " * 1024)); exec \"$@\"", "sh", jem}, args...)...)
	out, _ := cmd.CombinedOutput() // the code tells
	return string(out), cmd.ProcessState.ExitCode()
}

// Whoever makes a network says how much memory it needs and how much there is, where that is not
// enough, instead of dying; and one picture takes no room for a hundred.
func TestMemoryIsForetold(t *testing.T) {
	pictures := t.TempDir()
	for class := range 10 {
		put(t, pictures, fmt.Sprintf("%d/a.png", class), square(64))
	}
	image := filepath.Join(pictures, "0", "a.png")
	large := ofSide(t, 512)
	if said, code := limited(t, "4096", "score", large, image, "--threads", "1", "--conv-algo", "direct"); code != 0 {
		t.Errorf("one picture: got %d %s", code, said)
	}
	run := filepath.Join(t.TempDir(), "run")
	ok(t, "convert", large, run, "--data-dir", pictures, "--data", "folder")
	for _, args := range [][]string{
		{"score", ofSide(t, 1024), image},
		{"sample", run, "--out", filepath.Join(t.TempDir(), "s.png")},
		{"eval", run},
		small(writeCIFAR(t), filepath.Join(t.TempDir(), "train"), "--set", "model.width=10", "--set", "sampler.buffer=20000"),
		{"bench", "step", "--model", "wrn-28-10"},
	} {
		said, code := limited(t, "1800", append(args, "--threads", "1")...)
		last := said[strings.LastIndex(strings.TrimSpace(said), "\n")+1:]
		if code != exitConfig || !strings.Contains(last, "needs ") || !strings.Contains(last, "address space (ulimit -v) leaves ") || strings.Contains(said, "goroutine") {
			t.Errorf("jem %s: got %d %.1000s", args[0], code, said)
		}
	}
	if r := do(t, "score", ofSide(t, 2048), image); r.code != exitData || !strings.Contains(r.stderr, "2048×2048 pixels: at most 1024") {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
}
