//go:build unix

package durable

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jem/internal/fault"
)

func TestAPipeIsNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []int{os.O_RDONLY, os.O_WRONLY | os.O_CREATE | os.O_APPEND} {
		if _, err := OpenOwn(path, flag, 0o644); !errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), "is a pipe") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := Open(path); !errors.Is(err, fault.ErrBad) {
		t.Errorf("got %v", err)
	}
}
