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

func TestErrorsOfWhatIsLackedAndOfWhatWentWrong(t *testing.T) {
	for _, e := range []syscall.Errno{syscall.ENOSYS, syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.EINVAL, syscall.ENOLCK, syscall.EPERM} {
		if !lacks(&os.PathError{Op: "sync", Path: "x", Err: e}) {
			t.Errorf("%v: the operation is there", e)
		}
	}
	for _, e := range []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EACCES, syscall.EAGAIN} {
		if lacks(e) {
			t.Errorf("%v: the operation isn't there", e)
		}
	}
}

func TestTheLockFileIsAsTheUmaskSays(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o002))
	path := filepath.Join(t.TempDir(), ".lock")
	l, err := TryLock(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o664 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
