package session

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file that comes late is seen, one that doesn't come is missed, and nobody waits who is told to stop.
func TestAFileAppears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := appears(t.Context(), path, time.Millisecond); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := appears(stopped, path, time.Hour); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stopped: %v", err)
	}
	late := time.AfterFunc(300*time.Millisecond, func() { _ = os.WriteFile(path, nil, 0o666) })
	defer late.Stop()
	if err := appears(t.Context(), path, time.Minute); err != nil {
		t.Errorf("late: %v", err)
	}
}
