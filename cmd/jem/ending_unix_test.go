//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A terminal that closes sends SIGHUP, its shell another one, a limit on CPU time SIGXCPU each
// second: a checkpoint as after SIGTERM. Who asked for the signal to be ignored, as nohup does, trains on.
func TestAHangupSavesACheckpoint(t *testing.T) {
	if signal.Ignored(syscall.SIGHUP) {
		t.Skip("hang-ups are ignored here, as under nohup, and so they are by what is started")
	}
	data := writeCIFAR(t)
	for _, tc := range []struct {
		shell  string
		signal os.Signal
		steps  string
		code   int
	}{
		{"exec", syscall.SIGHUP, "1000000", exitStopped},
		{"exec", syscall.SIGXCPU, "1000000", exitStopped},
		{`trap "" HUP; exec`, syscall.SIGHUP, "5", exitDone},
	} {
		out := filepath.Join(t.TempDir(), "run")
		cmd := exec.Command("sh", append([]string{"-c", tc.shell + ` "$@"`, "sh", jem}, small(data, out, "--steps", tc.steps, "--set", "model.depth=10")...)...)
		var said strings.Builder
		code := listen(t, cmd, func(line string) {
			if strings.Contains(line, " info step ") && !strings.Contains(said.String(), " info step ") {
				for range 3 {
					_ = cmd.Process.Signal(tc.signal)
					time.Sleep(time.Millisecond) // or they would be one
				}
			}
			said.WriteString(line + "\n")
		})
		saved, err := filepath.Glob(filepath.Join(out, "checkpoints", "step-*", "MANIFEST.json"))
		if code != tc.code || err != nil || len(saved) < 2 {
			t.Errorf("%s: %v: exit code %d, checkpoints %v, %v\n%s", tc.shell, tc.signal, code, saved, err, said.String())
		}
	}
}

// unread is a pipe whose reader has left.
func unread(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil || r.Close() != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// full is a file on a disk that is full.
func full(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// A run goes on to its end though nobody reads its log and there is no room to say where it is.
func TestALogWithoutReaderEndsNothing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	cmd := exec.Command(jem, small(writeCIFAR(t), out, "--set", "model.depth=10")...)
	cmd.Stdout, cmd.Stderr = full(t), unread(t)
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"report.html", "checkpoints/step-00000003/MANIFEST.json"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}

// Results that nobody reads end the command without a word, results that can't be written don't.
func TestResultsWithoutReader(t *testing.T) {
	for says, open := range map[string]func(*testing.T) *os.File{"": unread, "no space left": full} {
		cmd := exec.Command(jem, "config", "presets")
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = open(t), &stderr
		_ = cmd.Run() // the code tells
		if code := cmd.ProcessState.ExitCode(); code != exitIO || (says == "") != (stderr.Len() == 0) || !strings.Contains(stderr.String(), says) {
			t.Errorf("exit code %d, %q", code, stderr.String())
		}
	}
}
