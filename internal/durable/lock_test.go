package durable

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jem/internal/fault"
)

// No test of this package may leave a goroutine behind: leases have one.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOneHasTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".lock")
	if Locked(path) {
		t.Error("locked though it isn't there")
	}
	for range 2 {
		l, err := TryLock(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := TryLock(path); !errors.Is(err, ErrLocked) {
			t.Errorf("a second one: %v", err)
		}
		if !Locked(path) || l.Check() != nil {
			t.Error("not locked")
		}
		if err := l.Release(); err != nil || Locked(path) {
			t.Errorf("given back: %v", err)
		}
	}
	if _, err := TryLock(filepath.Dir(path)); !errors.Is(err, fault.ErrBad) {
		t.Errorf("a folder: %v", err)
	}
}

func TestWaitLockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".lock")
	l, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := WaitLock(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	go func() { time.Sleep(20 * time.Millisecond); l.Release() }()
	again, err := WaitLock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again.Release()
}

// pace makes leases live and die fast.
func pace(t *testing.T, every, after time.Duration) {
	t.Helper()
	b, s := beat, stale
	beat, stale = every, after
	t.Cleanup(func() { beat, stale = b, s })
}

// age makes a lease look as if nobody had touched it for a while.
func age(t *testing.T, path string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func TestOneHasTheLease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lease")
	l, err := takeLease(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := takeLease(path); !errors.Is(err, ErrLocked) || !leased(path) || l.check() != nil {
		t.Errorf("a second one: %v", err)
	}
	if err := l.release(); err != nil || leased(path) {
		t.Errorf("given back: %v", err)
	}
	if names := list(t, filepath.Dir(path)); len(names) > 0 {
		t.Errorf("it leaves %v", names)
	}
}

func TestALeaseThatWasLeftBehindIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lease")
	first, err := takeLease(path)
	if err != nil {
		t.Fatal(err)
	}
	age(t, path, stale+time.Second)
	second, err := takeLease(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.check(); !errors.Is(err, ErrLocked) {
		t.Errorf("who had slept isn't told: %v", err)
	}
	if err := first.release(); err != nil || second.check() != nil {
		t.Errorf("giving back what is another's: %v", err)
	}
	if err := second.release(); err != nil {
		t.Error(err)
	}
}

func TestALeaseIsKeptFresh(t *testing.T) {
	pace(t, 5*time.Millisecond, time.Hour)
	path := filepath.Join(t.TempDir(), "lease")
	l, err := takeLease(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	age(t, path, 2*time.Hour)
	for range 400 {
		if leased(path) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("nobody touches it")
}

func TestWhatAFileSystemLacksIsToldOnce(t *testing.T) {
	var l lack
	var told []string
	l.note("sync", "a")
	l.hear(func(text string) { told = append(told, text) })
	l.note("sync", "b")
	l.note("lock", "c")
	if len(told) != 2 || told[0] != "a" || told[1] != "c" {
		t.Errorf("told %q", told)
	}
}

// A machine that mounts the file system with locks heeds the lease of one that mounts it without.
func TestALeaseCountsWhereThereAreLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".lock")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	lease, err := takeLease(LeaseOf(path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TryLock(path); !errors.Is(err, ErrLocked) || !Locked(path) {
		t.Errorf("while it is held: %v", err)
	}
	if err := lease.release(); err != nil {
		t.Fatal(err)
	}
	l, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Release()
}
