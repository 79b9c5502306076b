package checkpoint

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/fault"
	"jem/internal/safetensors"
)

// Load reads the checkpoint in the folder path: the state and the tensor files named
// (none: all of them). Size and SHA-256 of each are compared with the manifest; files
// that were not asked for are not read. What differs gives a *CorruptError.
func Load(path string, names ...string) (*Checkpoint, error) {
	c, _, err := loadSteadily(path, names)
	return c, err
}

// loadSteadily is Load. If that fails because the run that the checkpoint belongs to, and that is
// going on, has put another in its place, it is done again; if it has removed it, gone says so.
func loadSteadily(path string, names []string) (c *Checkpoint, gone bool, err error) {
	path, err = filepath.Abs(path) // the folder's name is checked, which "." would hide
	if err != nil {
		return nil, false, err
	}
	gone, err = steadily(path, func() error { c, err = load(path, names); return err })
	return c, gone, err
}

func steadily(path string, read func() error) (gone bool, err error) {
	for range 10 {
		before, _ := os.Lstat(path) // nil: it isn't there, which read will say
		if err = read(); err == nil {
			return false, nil
		}
		after, _ := os.Lstat(path)
		if after == nil {
			return true, err
		}
		if before != nil && os.SameFile(before, after) {
			return false, err
		}
	}
	return false, err
}

func load(path string, names []string) (*Checkpoint, error) {
	m, err := readManifest(path)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Path: path, Step: m.Step, Files: map[string][]Tensor{}}
	for _, f := range m.Files {
		name, tensors := strings.CutSuffix(f.Name, extension)
		switch {
		case f.Name == stateName:
			err = f.verify(path, c.readState)
		case tensors && (len(names) == 0 || slices.Contains(names, name)):
			err = f.verify(path, func(r io.Reader) (err error) { c.Files[name], err = safetensors.Read(r, f.Size); return err })
		}
		if err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		if _, ok := c.Files[name]; !ok {
			return nil, &CorruptError{path, fmt.Sprintf("has no file %s%s", name, extension), nil}
		}
	}
	return c, nil
}

// Verify compares every file of the checkpoint in the folder path with the manifest, and looks
// whether it is usable.
func Verify(path string, usable Usable) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	_, err = steadily(path, func() error { return verify(path, usable) })
	return err
}

func verify(path string, usable Usable) error {
	m, err := readManifest(path)
	if err != nil {
		return err
	}
	c := &Checkpoint{Path: path, Step: m.Step}
	for _, f := range m.Files {
		read := func(io.Reader) error { return nil }
		if f.Name == stateName {
			read = c.readState
		}
		if err := f.verify(path, read); err != nil {
			return err
		}
	}
	return usable.check(c)
}

func (c *Checkpoint) readState(r io.Reader) (err error) {
	c.State, err = io.ReadAll(io.LimitReader(r, maxSmall))
	return err
}

// verify lets read consume the file and then compares size and hash of all of it.
func (f fileEntry) verify(dir string, read func(io.Reader) error) error {
	path := filepath.Join(dir, f.Name)
	info, err := os.Lstat(path)
	if err != nil {
		return &CorruptError{path, "cannot be read", err}
	}
	if !info.Mode().IsRegular() || info.Size() != f.Size {
		return &CorruptError{path, fmt.Sprintf("%d bytes (%v), want a file of %d", info.Size(), info.Mode(), f.Size), nil}
	}
	file, err := os.Open(path)
	if err != nil {
		return &CorruptError{path, "cannot be read", err}
	}
	defer file.Close() // nothing was written
	sum := newSummer()
	content := io.TeeReader(file, sum)
	if err := read(content); err != nil {
		return &CorruptError{path, "content", err}
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return &CorruptError{path, "cannot be read", err}
	}
	if got := sum.entry(f.Name); got != f {
		return &CorruptError{path, fmt.Sprintf("SHA-256 %s, want %s", got.SHA256, fault.Short(f.SHA256)), nil}
	}
	return nil
}
