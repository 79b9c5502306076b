//go:build unix

package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"jem/internal/fault"
)

// A run folder that came from elsewhere may hold links and pipes: nothing outside is touched, and
// nothing is waited for.
func TestLinksAndPipesAreRefused(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "mine")
	if err := os.WriteFile(outside, []byte("a line\nhalf a line"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := func(to string) func(string) error { return func(path string) error { return os.Symlink(to, path) } }
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o644) }
	d := newRun(t)
	closeRun(t, d)
	for _, tc := range []struct {
		name, path string
		put        func(string) error
	}{
		{"metrics that are a link", d.Metrics(), link(outside)},
		{"metrics that are a link to nothing", d.Metrics(), link(outside + ".none")},
		{"metrics that are a pipe", d.Metrics(), pipe},
		{"a lock that is a link", d.join(lockName), link(outside)},
		{"a lock that is a pipe", d.join(lockName), pipe},
		{"samples that are a link", d.Samples(), link(filepath.Dir(outside))},
		{"checkpoints that are a link", d.Checkpoints(), link(filepath.Dir(outside))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			kept := tc.path + ".kept"
			if err := errors.Join(os.Rename(tc.path, kept), tc.put(tc.path)); err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := errors.Join(os.Remove(tc.path), os.Rename(kept, tc.path)); err != nil {
					t.Fatal(err)
				}
			}()
			var bad *fault.Error
			if _, err := Open(string(d.Path)); !errors.As(err, &bad) || bad.Path != tc.path {
				t.Errorf("got %v", err)
			}
			if err := Vacant(string(d.Path)); !errors.Is(err, ErrExists) {
				t.Errorf("as a folder to begin in: %v", err)
			}
		})
	}
	if b, err := os.ReadFile(outside); err != nil || string(b) != "a line\nhalf a line" {
		t.Errorf("outside is %q, %v", b, err)
	}
	t.Run("the list of starts", func(t *testing.T) {
		again, err := Open(string(d.Path))
		if err != nil {
			t.Fatal(err)
		}
		defer closeRun(t, again)
		for _, put := range []func(string) error{link(outside), pipe} {
			if err := errors.Join(os.Remove(d.Env()), put(d.Env()), again.Started(Environment("test device"))); err != nil {
				t.Fatal(err)
			}
			starts, err := ReadEnv(d.Env())
			if err != nil || len(starts) != 1 || len(again.Notes()) != 1 {
				t.Errorf("%d starts, %v", len(starts), err)
			}
		}
	})
}
