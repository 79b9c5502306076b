package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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
	cmd, log := training(t, args)
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

// training starts a run, which goes on when it returns; log is what it says, to be read at its end.
func training(t *testing.T, args []string) (cmd *exec.Cmd, log *strings.Builder) {
	t.Helper()
	log = &strings.Builder{}
	cmd = exec.Command(jem, args...)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	metrics := rundir.Path(args[slices.Index(args, "--out")+1]).Metrics()
	for range 600 {
		records, _, err := rundir.ReadMetrics(metrics)
		if err == nil && slices.ContainsFunc(records, func(r rundir.Record) bool { return r.Kind == "train" }) {
			return cmd, log
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it takes no step")
	return nil, nil
}

// Beside a run that keeps one checkpoint its newest is always found, and sound. When the run's
// folder gets another name, it ends, and makes nothing under the old one.
func TestReadingAndMovingARun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows renames no folder that is in use")
	}
	dir := t.TempDir()
	out, moved, image := filepath.Join(dir, "run"), filepath.Join(dir, "moved"), put(t, dir, "a.png", square(32))
	cmd, log := training(t, small(writeCIFAR(t), out, "--set", "model.depth=10", "--steps", "1000000", "--set", "train.save_every=1", "--set", "train.keep_last=1"))
	for range 3 {
		for _, args := range [][]string{{"score", "--model", out, "--input", image}, {"checkpoint", "verify", out}} {
			if r := do(t, args...); r.code != 0 {
				t.Errorf("jem %s: got %d %s", args[0], r.code, r.stderr)
			}
		}
	}
	if err := os.Rename(out, moved); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the code tells
	if code := cmd.ProcessState.ExitCode(); code != exitIO || !strings.Contains(log.String(), "renamed, moved or removed") {
		t.Errorf("exit code %d\n%s", code, log.String())
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("the run is begun anew at its old name")
	}
	ok(t, "score", "--model", moved, "--input", image)
}
