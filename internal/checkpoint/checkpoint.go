// Package checkpoint keeps the states of a run on disk so that a crash, a full disk or
// a flipped bit costs at most the newest of them, and is noticed.
//
// A checkpoint is a folder:
//
//	checkpoints/step-00012345/
//	    model.safetensors  ema.safetensors  optim.safetensors  buffer.rank000.safetensors
//	    state.json         what the caller keeps besides tensors: step, counters, seeds
//	    MANIFEST.json      format version, step, size and SHA-256 of each other file
//
// It is written under a temporary name, every file fsynced, the manifest last, and then
// renamed; so a folder of the final name is complete, and whether it still is what was
// written is decided by the manifest, never by a date or by a pointer file.
//
// The package does not know what the tensors mean, nor who asks for a checkpoint when.
//
//	store, err := checkpoint.Open(dir)           // the run's one writer
//	path, err := store.Save(step, files, state)
//	_, err = store.Prune(checkpoint.Policy{KeepLast: 2})
//	c, damaged, err := checkpoint.Latest(dir)    // any reader
package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"jem/internal/safetensors"
)

// Tensor is a named array; see safetensors.Tensor for Fill, which lets a device's
// tensors be saved without a copy of them all in host memory.
type Tensor = safetensors.Tensor

// Checkpoint is a state that was read and found undamaged.
type Checkpoint struct {
	Path  string              // its folder
	Step  int                 // the training step that had been completed
	Files map[string][]Tensor // by name without the extension: model, ema, optim, buffer.rank000, …
	State []byte              // state.json, as it was given to Save
}

// Entry is a checkpoint in a listing; whether it is undamaged has not been looked at.
type Entry struct {
	Path string
	Step int
}

// ErrNone says that a folder has no checkpoint that can be used.
var ErrNone = errors.New("no usable checkpoint")

// CorruptError says that a checkpoint is not what was saved.
type CorruptError struct {
	File   string // the file that differs, or the folder where one is missing
	Reason string
	Err    error // the cause below, if any
}

func (e *CorruptError) Error() string {
	cause := e.Err
	if at := (*fs.PathError)(nil); errors.As(cause, &at) && at.Path == e.File {
		cause = at.Err // the file is named already
	}
	if cause != nil {
		return fmt.Sprintf("%s: damaged: %s: %v", e.File, e.Reason, cause)
	}
	return fmt.Sprintf("%s: damaged: %s", e.File, e.Reason)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

const (
	prefix     = "step-"
	tempSuffix = ".tmp-" // followed by the process id: being written or being deleted
	oldSuffix  = ".old-" // followed by the process id: moved aside by a newer one of the same step

	damagedSuffix = ".damaged" // found by Discard
)

// folder returns the name of a step's folder. Eight digits keep listings sorted; more
// are used where needed.
func folder(step int) string { return fmt.Sprintf("%s%08d", prefix, step) }

// stepOf returns the step that a folder's name stands for.
func stepOf(name string) (step int, ok bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	step, err := strconv.Atoi(digits)
	return step, ok && err == nil && step >= 0 && folder(step) == name
}

// List returns the checkpoints in dir, oldest step first. A folder that does not exist
// has none.
func List(dir string) ([]Entry, error) {
	all, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	var entries []Entry
	for _, e := range all {
		if step, ok := stepOf(e.Name()); ok && e.IsDir() {
			entries = append(entries, Entry{filepath.Join(dir, e.Name()), step})
		}
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Step < entries[j].Step })
	return entries, nil
}

// Complete reports whether a checkpoint's folder has its manifest, which is written last.
func Complete(path string) bool {
	info, err := os.Lstat(filepath.Join(path, manifestName))
	return err == nil && info.Mode().IsRegular()
}

// Usable is what a caller wants of a checkpoint besides being what was saved, by its step and
// state alone; the error says what is wrong. nil wants nothing.
type Usable func(*Checkpoint) error

func (u Usable) check(c *Checkpoint) error {
	if u == nil {
		return nil
	}
	return u(c)
}

// Latest loads the newest checkpoint that verifies, with the files named (none: all of
// them). damaged holds the reason for each newer one that was skipped; show them to the
// user. Without any usable one the error wraps ErrNone and the reasons.
func Latest(dir string, names ...string) (c *Checkpoint, damaged []error, err error) {
	return Before(dir, math.MaxInt, nil, names...)
}

// Before is Latest among the usable checkpoints of earlier steps than step. One that isn't usable
// counts as damaged; where one vanishes while it is read, since the run that is going on has newer ones,
// all are looked at anew. So they are where none was seen: for a while where one has been moved aside for another,
// whose writer may be waiting for the disk, and from then on a few times at once, for a listing may miss one that
// takes the place of another in the meantime, and the one that shows it aside may come after that.
func Before(dir string, step int, usable Usable, names ...string) (c *Checkpoint, damaged []error, err error) {
	const patience = 5 * time.Second
	begin := time.Now()
	for looks := 1; ; looks++ {
		c, damaged, err = before(dir, step, usable, names)
		missed := errors.Is(err, ErrNone) && len(damaged) == 0
		switch {
		case missed && replacing(dir) && time.Since(begin) < patience:
			time.Sleep(time.Millisecond)
			looks = 0
		case errors.Is(err, errVanished) && looks < 100, missed && looks < 4:
		case errors.Is(err, errVanished):
			return nil, nil, fmt.Errorf("%w: %w", ErrNone, err)
		default:
			return c, damaged, err
		}
	}
}

// replacing reports whether a checkpoint is aside while another takes its place.
func replacing(dir string) bool {
	all, _ := os.ReadDir(dir) // what can't be read has been said
	return slices.ContainsFunc(all, func(e os.DirEntry) bool {
		_, aside, ok := leftover(e.Name())
		return ok && aside
	})
}

var errVanished = errors.New("a checkpoint vanished while it was read")

func before(dir string, step int, usable Usable, names []string) (c *Checkpoint, damaged []error, err error) {
	entries, err := List(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range slices.Backward(entries) {
		if e.Step >= step {
			continue
		}
		c, gone, err := loadSteadily(e.Path, names)
		if gone {
			return nil, nil, fmt.Errorf("%s: %w", e.Path, errVanished)
		}
		if err == nil {
			err = usable.check(c)
		}
		if err == nil {
			return c, damaged, nil
		}
		damaged = append(damaged, err)
	}
	return nil, damaged, fmt.Errorf("%s: %w", dir, errors.Join(append([]error{ErrNone}, damaged...)...))
}
