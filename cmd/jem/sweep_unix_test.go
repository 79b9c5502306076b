//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A sweep that is stopped says how it goes on, and does.
func TestASweepIsStoppedAndGoesOn(t *testing.T) {
	out := filepath.Join(t.TempDir(), "sweep")
	args := sweepArgs(out, "--seeds", "2", "--set", "train.steps=40")
	var said []string
	cmd := exec.Command(jem, args...)
	code := listen(t, cmd, func(line string) {
		if said = append(said, line); strings.Contains(line, `checkpoint {"step": 0,`) {
			_ = cmd.Process.Signal(os.Interrupt)
		}
	})
	if last := said[len(said)-1]; code != exitStopped || !strings.HasPrefix(last, "jem: stopped in base-seed1 after step ") || !strings.HasSuffix(last, "; the same command goes on from there") {
		t.Fatalf("exit code %d, %s", code, strings.Join(said, "\n"))
	}
	r := do(t, args...)
	if r.code != exitDone || !strings.Contains(r.stdout, "base  2 ") || strings.Count(r.stderr, `checkpoint {"step": 0,`) != 1 { // the second run's
		t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}
