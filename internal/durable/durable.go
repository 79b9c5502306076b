// Package durable writes small files so that a crash or a full disk leaves either the
// old content or the new, never a mixture, and so that what it reported written is
// still there after a power cut.
//
// It knows nothing of what the files mean. Large, many-file states are the business of
// package checkpoint, which uses SyncDir.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jem/internal/failpoint"
)

// tempInfix stands between a file's name and the process id in the name of its temporary file.
const tempInfix = ".tmp-"

// WriteFile replaces the file at path by data: a temporary file beside it is written
// and fsynced, renamed over path, and the folder is fsynced. On error the old content
// stays and the temporary file is removed. Errors keep their *os.PathError or
// *os.LinkError, so that errors.Is(err, syscall.ENOSPC) works.
//
// One writer per path at a time: the temporary name holds the process id only.
func WriteFile(path string, data []byte) error {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	temp := filepath.Join(dir, fmt.Sprintf(".%s%s%d", name, tempInfix, os.Getpid()))
	err := failpoint.Around("file.write", path, func() error { return writeSynced(temp, data) })
	if err == nil {
		err = failpoint.Around("file.rename", path, func() error { return os.Rename(temp, path) })
	}
	if err != nil {
		// The first error is the cause; a failed removal only leaves a hidden file.
		_ = os.Remove(temp)
		return err
	}
	return failpoint.Around("file.syncdir", dir, func() error { return SyncDir(dir) })
}

// Original is the name that a temporary file of WriteFile was to get, if name is the name of one.
func Original(name string) (original string, temporary bool) {
	at := strings.LastIndex(name, tempInfix)
	if at < 2 || name[0] != '.' {
		return "", false
	}
	id := name[at+len(tempInfix):]
	n, err := strconv.Atoi(id)
	return name[1:at], err == nil && n > 0 && strconv.Itoa(n) == id
}

// writeSynced leaves data at path, on the disk itself. The temporary file of a killed
// process with the same id (containers number from 1 again) is overwritten.
func writeSynced(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
