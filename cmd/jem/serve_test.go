package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"jem/serve/batch"
)

// TestServeSaysWhyNot: what keeps a service from beginning has a sentence and its documented exit code, before anything is served.
func TestServeSaysWhyNot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir, model := t.TempDir(), official+"zip.pt"
	short := put(t, dir, "short", []byte("secret\n"))
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no model", nil, exitUsage, "MODEL is missing"},
		{"two models", []string{model, model}, exitUsage, "unexpected argument"},
		{"a model that isn't there", []string{filepath.Join(dir, "none")}, exitData, "none"},
		{"the newest of no run", []string{"--checkpoint", "latest"}, exitUsage, "of which run"},
		{"a checkpoint of no run", []string{"--checkpoint", filepath.Join(dir, "checkpoints", "step-1")}, exitData, "is no checkpoint of a run"},
		{"port in use", []string{model, "--listen", l.Addr().String()}, exitIO, "another process listens there"},
		{"no address", []string{model, "--listen", "nowhere"}, exitUsage, "--listen"},
		{"no port", []string{model, "--listen", "127.0.0.1:99999"}, exitUsage, "--listen"},
		{"no token file", []string{model, "--token-file", filepath.Join(dir, "token")}, exitData, "there is no such file"},
		{"short token", []string{model, "--token-file", short}, exitData, "6 characters"},
		{"a folder of tokens", []string{model, "--token-file", dir}, exitIO, "is a directory"},
		{"unknown rule", []string{model, "--rule", "beauty"}, exitUsage, `"beauty"`},
		{"alarms without a rule", []string{model, "--false-alarms", "0.1"}, exitUsage, "goes with --rule"},
		{"too many alarms", []string{model, "--rule", "px", "--false-alarms", "1"}, exitUsage, "between 0 and 1"},
		{"no temperature", []string{model, "--temperature", "0"}, exitUsage, "above 0"},
		{"no batch", []string{model, "--max-batch", "0"}, exitUsage, "--max-batch 0"},
		{"a body beyond all memory", []string{model, "--max-body", "9000000000000000"}, exitUsage, "--max-body"},
		{"a short queue", []string{model, "--queue", "10"}, exitUsage, "--max-images"},
		{"a name with a slash", []string{model, "--name", "a/b"}, exitUsage, `"a/b"`},
	} {
		args := append([]string{"serve"}, c.args...)
		if !strings.Contains(strings.Join(args, " "), "--listen") {
			args = append(args, "--listen", "127.0.0.1:0")
		}
		r := do(t, args...)
		if r.code != c.code || !strings.Contains(r.stderr, c.want) || r.stdout != "" {
			t.Errorf("%s: exit code %d, %s%s\nwant %d with %q", c.name, r.code, r.stdout, r.stderr, c.code, c.want)
		}
	}
}

// TestExitCodeOfABrokenService: a device that failed can be had again, a bug will come again.
func TestExitCodeOfABrokenService(t *testing.T) {
	lost := fmt.Errorf("%w: %w", batch.ErrBroken, errors.New("the bus is gone"))
	bug := fmt.Errorf("%w: %w", batch.ErrBroken, &batch.PanicError{What: "a batch", Value: "shapes"})
	if a, b := exitCode(lost), exitCode(bug); a != exitDevice || b != exitBug {
		t.Errorf("%d and %d, want %d and %d", a, b, exitDevice, exitBug)
	}
}
