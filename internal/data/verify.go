package data

import (
	"errors"
	"io/fs"
	"strings"
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
// the published hashes, and whether what differs can be read.
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
		if status.State == Differs {
			status = l.tried(status)
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

// tried reads a file that isn't the published one.
func (l Listing) tried(s FileStatus) FileStatus {
	content, err := readContent(s.Path, s.File.limit())
	if err == nil {
		err = l.readable(s.File, content)
	}
	if err != nil {
		s.State, s.Detail = Damaged, err.Error()
	}
	return s
}

// readable says what is wrong with one file's content by its format alone.
func (l Listing) readable(f File, content []byte) error {
	s := &Set{Classes: l.Classes}
	switch l.format {
	case formatCIFAR10, formatCIFAR100:
		return decodeCIFAR(s, content, l.labelBytes())
	case formatSVHN:
		return decodeSVHN(s, content, maxMAT)
	case formatIDX:
		if !strings.Contains(f.Name, "idx1") {
			_, _, err := readIDX(content, idxImages)
			return err
		}
		return addLabels(s, content)
	}
	return nil
}
