package data

import (
	"errors"
	"io/fs"
)

// State is what Verify finds of a file.
type State string

// The states of a file.
const (
	Published State = "as published"          // has the published hash
	Differs   State = "not as published"      // readable, another hash: Open uses it with a note
	Damaged   State = "damaged or unreadable" // see Detail
	Absent    State = "missing"
)

// FileStatus is Verify's finding on one file.
type FileStatus struct {
	File   File
	Path   string
	State  State
	Detail string // in words, for Damaged
}

// Verify checks the files of one of Downloads, wherever Open would look for them given dir, against
// the published hashes.
func Verify(name, dir string) ([]FileStatus, error) {
	l, err := lookupDownload(name)
	if err != nil {
		return nil, err
	}
	var found []FileStatus
	for _, f := range l.Files {
		status := FileStatus{File: f, State: Absent}
		for _, place := range l.places(dir) {
			if status = f.status(place); status.State != Absent {
				break
			}
		}
		found = append(found, status)
	}
	return found, nil
}

// status checks the file in one folder.
func (f File) status(dir string) FileStatus {
	s := FileStatus{File: f}
	path, err := locate(dir, f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		s.State = Absent
		return s
	}
	var content []byte
	if err == nil {
		s.Path = path
		content, err = readContent(path, f.limit())
	}
	switch {
	case err != nil:
		s.State, s.Detail = Damaged, err.Error()
	case f.matches(content):
		s.State = Published
	default:
		s.State = Differs
	}
	return s
}
