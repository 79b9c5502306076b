package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"jem/internal/rundir"
)

// On a file system with neither locks nor fsync a run still has one writer, and stops with
// sound checkpoints.
func TestAFileSystemWithoutLocksAndSync(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals")
	}
	t.Setenv("JEM_FAILPOINT", "fs:1:unsupported")
	out := filepath.Join(t.TempDir(), "run")
	args := small(writeCIFAR(t), out, "--set", "model.depth=10", "--steps", "1000000")
	var log strings.Builder
	cmd := exec.Command(jem, args...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	for range 300 {
		if records, _, err := rundir.ReadMetrics(rundir.Path(out).Metrics()); err == nil && len(records) > 1 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, second := range [][]string{args, {"train", "--resume", out}} {
		if r := do(t, second...); r.code != exitBusy || !strings.Contains(r.stderr, "in use by process") {
			t.Errorf("a second writer: got %d %s", r.code, r.stderr)
		}
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait() // the code tells
	if code := cmd.ProcessState.ExitCode(); code != exitStopped || strings.Count(log.String(), "has no locks") != 1 || strings.Count(log.String(), "has no fsync") != 1 {
		t.Errorf("exit code %d\n%s", code, log.String())
	}
	if _, err := os.Stat(filepath.Join(out, ".lock.held")); err == nil {
		t.Error("the lease is left behind")
	}
	if r := do(t, "checkpoint", "verify", out); r.code != 0 {
		t.Errorf("got %d %s", r.code, r.stderr)
	}
}
