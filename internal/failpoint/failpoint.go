// Package failpoint lets tests of the whole program make a chosen operation on the disk
// fail, once or always, or end the process there, by an environment variable. Without it nothing happens.
//
// It does not know what is written where.
package failpoint

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// Env names the environment variable: "POINT:N:error" makes the N-th pass of a point fail,
// "POINT:N:exit" ends the process there as kill -9 would, and "POINT:N:unsupported" makes that
// pass and all after it fail as a system call does that the file system doesn't have.
//
// Points are ckpt.mkdir, ckpt.create, ckpt.write, ckpt.sync, ckpt.close, ckpt.rename,
// ckpt.syncdir and ckpt.remove of checkpoints, file.write, file.rename and file.syncdir of
// small files (configuration, environment, report, sample grids, choices), claim.mark of a folder's
// marker, metrics.write and events.write, each with .before and .after; fs.sync and fs.lock, of any
// file or folder, without. A shorter name stands for all that it begins:
// ckpt.rename for both of its points, ckpt for every one of checkpoints.
const Env = "JEM_FAILPOINT"

// Err is the cause of a point's error, which is an *os.PathError as those of the system.
var Err = errors.New("fails as asked")

// exitCode is what a shell reports of a process that kill -9 ended.
const exitCode = 137

// Point is a failpoint, which fires once, or from then on if it says unsupported. The nil Point never does.
type Point struct {
	name string
	left atomic.Int64 // passes until it fires; 0 or less: it has fired
	does string       // one of actions
}

// actions are what a point can do.
var actions = []string{"error", "exit", "unsupported"}

// Parse reads the value of the environment variable; empty: no point.
func Parse(value string) (*Point, error) {
	if value == "" {
		return nil, nil
	}
	part := strings.Split(value, ":")
	if len(part) != 3 || !slices.Contains(actions, part[2]) {
		return nil, fmt.Errorf("%s=%q: want POINT:N:error, POINT:N:exit or POINT:N:unsupported", Env, value)
	}
	n, err := strconv.Atoi(part[1])
	if err != nil || n < 1 {
		return nil, fmt.Errorf("%s=%q: N is %q, want a whole number from 1", Env, value, part[1])
	}
	p := &Point{name: part[0], does: part[2]}
	p.left.Store(int64(n))
	return p, nil
}

// FromEnv is the process's point, one for all that asks. It is read once.
var FromEnv = sync.OnceValues(func() (*Point, error) { return Parse(os.Getenv(Env)) })

// Fired reports whether the point has fired.
func (p *Point) Fired() bool { return p != nil && p.left.Load() <= 0 }

// Pass counts a passage of the named point and fires on the last one.
func (p *Point) Pass(name string) error {
	if p == nil || name != p.name && !strings.HasPrefix(name, p.name+".") {
		return nil
	}
	switch left := p.left.Add(-1); {
	case left <= 0 && p.does == "unsupported":
		return &os.PathError{Op: "failpoint", Path: name, Err: syscall.ENOSYS}
	case left != 0:
		return nil
	case p.does == "exit":
		os.Exit(exitCode)
	}
	return &os.PathError{Op: "failpoint", Path: name, Err: Err}
}

// Around does an operation between the points before and after it.
func (p *Point) Around(op string, do func() error) error {
	if err := p.Pass(op + ".before"); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return p.Pass(op + ".after")
}

// Pass counts a passage of a point of the process, see Point's.
func Pass(name string) error {
	p, err := FromEnv()
	if err != nil {
		return err
	}
	return p.Pass(name)
}

// Around does an operation between the points of the process. Its errors, those of a faulty
// variable included, belong to the file path.
func Around(op, path string, do func() error) error {
	p, err := FromEnv()
	if err != nil {
		return err
	}
	err = p.Around(op, do)
	if errors.Is(err, Err) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}
