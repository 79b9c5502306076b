package claim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// OverlapError says that what is written and what is read lie in each other.
type OverlapError struct {
	Written, Read string
	Around        bool // Read lies in Written, not the other way round
}

func (e *OverlapError) Error() string {
	if e.Around {
		return fmt.Sprintf("%s has the pictures of %s in it, among which its own would be: move the pictures elsewhere", e.Written, e.Read)
	}
	return fmt.Sprintf("%s lies in %s, whose pictures are read: what is written there would be taken for pictures, so name a place elsewhere", e.Written, e.Read)
}

// Unwrap returns ErrRefused.
func (e *OverlapError) Unwrap() error { return ErrRefused }

// Apart refuses a file or folder to write that is a folder to read, or lies below it, by
// whatever links, with an *OverlapError. Neither need be there.
func Apart(written, read string) error {
	if inside, err := within(written, read); err != nil || !inside {
		return err
	}
	return &OverlapError{Written: written, Read: read}
}

// Around is Apart for a folder to read that lies in the one to write.
func Around(written, read string) error {
	if inside, err := within(read, written); err != nil || !inside {
		return err
	}
	return &OverlapError{written, read, true}
}

// within reports whether path is a folder or lies below it. Folders are compared as the
// system knows them, so neither letters' case nor mounts deceive it.
func within(path, folder string) (bool, error) {
	outer, err := os.Stat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	path, err = resolve(path)
	for err == nil {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, outer) {
			return true, nil
		}
		above := filepath.Dir(path)
		if above == path {
			break
		}
		path = above
	}
	return false, err
}

// resolve is filepath.EvalSymlinks for a path whose end need not be there yet.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for rest := ""; ; {
		whole, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(whole, rest), nil
		}
		above := filepath.Dir(path)
		if !errors.Is(err, fs.ErrNotExist) || above == path {
			return "", err
		}
		path, rest = above, filepath.Join(filepath.Base(path), rest)
	}
}
