package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sort"

	"jem/internal/safetensors"
)

// Save writes a checkpoint and returns its folder. files is keyed by name without the
// extension (letters, digits, '.', '-', '_'); state becomes state.json as it is.
//
// When Save returns nil the checkpoint is on the disk. When it returns an error, every
// earlier checkpoint is as it was, nothing temporary is left (unless removing failed,
// too), and the cause can be asked for: errors.Is(err, syscall.ENOSPC). A checkpoint of
// the same step is replaced, and is never missing for longer than between two renames.
//
// The same step, tensors and state give the same bytes.
func (s *Store) Save(step int, files map[string][]Tensor, state []byte) (path string, err error) {
	need, err := size(step, files, state)
	if err != nil {
		return "", fmt.Errorf("save checkpoint: %w", err)
	}
	path = filepath.Join(s.dir, folder(step))
	temp := s.aside(path, tempSuffix)
	err = s.disk.removeAll(temp) // of a killed process with the same id
	if err == nil {
		err = s.disk.mkdir(temp) // not the folders above: a run that was moved away is not begun anew
	}
	if err == nil {
		err = s.fill(temp, step, files, state)
	}
	if err == nil {
		err = s.publish(temp, path)
	}
	if err != nil {
		err = errors.Join(err, s.disk.removeAll(temp))
		return "", fmt.Errorf("save checkpoint %s: %d bytes needed, %s: %w", path, need, free(s.dir), err)
	}
	return path, nil
}

// size checks what is to be saved and returns its number of bytes, manifest aside.
func size(step int, files map[string][]Tensor, state []byte) (int64, error) {
	if step < 0 {
		return 0, fmt.Errorf("step %d is negative", step)
	}
	if len(state) > maxSmall {
		return 0, fmt.Errorf("state has %d bytes, at most %d are allowed", len(state), maxSmall)
	}
	total := int64(len(state))
	for name, tensors := range files {
		if !isPlain(name) {
			return 0, fmt.Errorf("file name %q: only letters, digits, '.', '-' and '_' are allowed", name)
		}
		n, err := safetensors.Size(tensors)
		if err != nil {
			return 0, fmt.Errorf("file %s: %w", name, err)
		}
		total += n
	}
	return total, nil
}

// fill writes all files into a folder, the manifest last, and makes them durable.
func (s *Store) fill(dir string, step int, files map[string][]Tensor, state []byte) error {
	m := manifest{Format: format, Step: step}
	add := func(name string, write func(io.Writer) error) error {
		entry, err := s.write(dir, name, write)
		m.Files = append(m.Files, entry)
		return err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		err := add(name+extension, func(w io.Writer) error { return safetensors.Write(w, files[name]) })
		if err != nil {
			return err
		}
	}
	if err := add(stateName, func(w io.Writer) error { _, err := w.Write(state); return err }); err != nil {
		return err
	}
	b, err := m.encode()
	if err != nil {
		return err
	}
	_, err = s.write(dir, manifestName, func(w io.Writer) error { _, err := w.Write(b); return err })
	if err != nil {
		return err
	}
	return s.disk.syncDir(dir)
}

// write creates one file and makes its content durable.
func (s *Store) write(dir, name string, content func(io.Writer) error) (fileEntry, error) {
	f, err := s.disk.create(filepath.Join(dir, name))
	if err != nil {
		return fileEntry{}, err
	}
	sum := newSummer()
	w := bufio.NewWriterSize(both{f, sum}, 64<<10) // tensors come in larger pieces, past the buffer
	if err = content(w); err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fileEntry{}, fmt.Errorf("%s: %w", name, err)
	}
	return sum.entry(name), nil
}

// both writes to a file and hashes what it writes at the same time: each takes about as long.
type both struct {
	file io.Writer
	sum  *summer
}

// Write writes p.
func (b both) Write(p []byte) (int, error) {
	hashed := make(chan struct{})
	go func() {
		_, _ = b.sum.Write(p) // which never fails
		close(hashed)
	}()
	n, err := b.file.Write(p)
	<-hashed
	return n, err
}

// publish gives a finished folder its final name.
func (s *Store) publish(temp, path string) error {
	if exists(path) {
		return s.replace(temp, path)
	}
	if err := s.disk.rename(temp, path); err != nil {
		return err
	}
	return s.disk.syncDir(s.dir)
}

// replace is publish where a checkpoint of the same step is in the way. A folder cannot
// be renamed over another, so the old one steps aside first; recover brings it back if
// the process dies in between.
func (s *Store) replace(temp, path string) error {
	old := s.aside(path, oldSuffix)
	if err := s.disk.removeAll(old); err != nil {
		return err
	}
	err := s.disk.rename(path, old)
	if err == nil {
		err = s.disk.rename(temp, path)
	}
	if err == nil {
		err = s.disk.syncDir(s.dir)
	}
	if !exists(path) {
		return errors.Join(err, s.disk.rename(old, path))
	}
	return errors.Join(err, s.disk.removeAll(old))
}
