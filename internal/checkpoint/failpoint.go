package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// FailpointEnv names the environment variable with which tests of the whole program
// stop it at a chosen operation on a checkpoint: "POINT:N:error" makes the N-th pass of
// a point fail, "POINT:N:exit" ends the process there as kill -9 would.
//
// Points are ckpt.mkdir, ckpt.create, ckpt.write, ckpt.sync, ckpt.close, ckpt.rename,
// ckpt.syncdir and ckpt.remove, each with .before and .after. A shorter name stands for
// all that it begins: ckpt.rename for both of its points, ckpt for every one.
const FailpointEnv = "JEM_FAILPOINT"

// errFailpoint is the error of a failpoint.
var errFailpoint = errors.New("failpoint")

// exitCode is what a shell reports of a process that kill -9 ended.
const exitCode = 137

// failpoint is a disk that fails once.
type failpoint struct {
	disk
	point string
	left  int // passes until it fires; 0 or less: it has fired
	exit  bool
}

// withFailpoint wraps a disk by what the variable's value says; empty: not at all.
func withFailpoint(d disk, value string) (disk, error) {
	if value == "" {
		return d, nil
	}
	part := strings.Split(value, ":")
	if len(part) != 3 || part[2] != "error" && part[2] != "exit" {
		return nil, fmt.Errorf("%s=%q: want POINT:N:error or POINT:N:exit", FailpointEnv, value)
	}
	n, err := strconv.Atoi(part[1])
	if err != nil || n < 1 {
		return nil, fmt.Errorf("%s=%q: N is %q, want a whole number from 1", FailpointEnv, value, part[1])
	}
	return &failpoint{disk: d, point: part[0], left: n, exit: part[2] == "exit"}, nil
}

// pass counts a passage and fires on the last one.
func (f *failpoint) pass(point string) error {
	if point != f.point && !strings.HasPrefix(point, f.point+".") {
		return nil
	}
	f.left--
	if f.left != 0 {
		return nil
	}
	if f.exit {
		os.Exit(exitCode)
	}
	return fmt.Errorf("%w %s", errFailpoint, point)
}

// around does an operation between its two points.
func (f *failpoint) around(op string, do func() error) error {
	if err := f.pass("ckpt." + op + ".before"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return f.pass("ckpt." + op + ".after")
}

func (f *failpoint) mkdirAll(path string) error {
	return f.around("mkdir", func() error { return f.disk.mkdirAll(path) })
}

func (f *failpoint) create(path string) (made file, err error) {
	err = f.around("create", func() (err error) { made, err = f.disk.create(path); return err })
	if err == nil {
		return &failingFile{made, f}, nil
	}
	if made != nil {
		err = errors.Join(err, made.Close())
	}
	return nil, err
}

func (f *failpoint) rename(from, to string) error {
	return f.around("rename", func() error { return f.disk.rename(from, to) })
}

func (f *failpoint) syncDir(path string) error {
	return f.around("syncdir", func() error { return f.disk.syncDir(path) })
}

func (f *failpoint) removeAll(path string) error {
	return f.around("remove", func() error { return f.disk.removeAll(path) })
}

// failingFile is a file on a disk that fails once.
type failingFile struct {
	file
	disk *failpoint
}

// Write writes p.
func (w *failingFile) Write(p []byte) (n int, err error) {
	err = w.disk.around("write", func() (err error) { n, err = w.file.Write(p); return err })
	return n, err
}

// Sync makes what was written durable.
func (w *failingFile) Sync() error { return w.disk.around("sync", w.file.Sync) }

// Close closes the file, whatever fails: a handle kept open would outlive the test.
func (w *failingFile) Close() error {
	closed := false
	err := w.disk.around("close", func() error { closed = true; return w.file.Close() })
	if !closed {
		return errors.Join(err, w.file.Close())
	}
	return err
}
