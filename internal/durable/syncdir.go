//go:build !windows

package durable

import (
	"errors"
	"os"
)

// SyncDir makes the names in a folder durable: without it a renamed file may be gone
// after a power cut although its content had been fsynced. On Windows it does nothing,
// since folders cannot be flushed there; see Sync for file systems where they can't be either.
func SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(flush(d, path), d.Close())
}
