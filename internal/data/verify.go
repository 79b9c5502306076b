package data

import (
	"errors"
	"io/fs"
	"strings"

	"jem/internal/fault"
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
	if err := l.folder(dir); err != nil {
		return nil, err
	}
	var found []FileStatus
	for _, f := range l.Files {
		status := FileStatus{File: f, State: Absent}
		for _, place := range l.places(dir) {
			if status = l.status(place, f); status.State != Absent {
				break
			}
		}
		found = append(found, status)
	}
	return found, nil
}

// status checks the file in one place.
func (l Listing) status(p place, f File) FileStatus {
	s := FileStatus{File: f}
	path, err := p.locate(f)
	if errors.Is(err, fs.ErrNotExist) {
		s.State = Absent
		return s
	}
	var content []byte
	if err == nil {
		s.Path = path
		content, err = l.content(p, f, path)
	}
	switch {
	case err != nil:
		s.State, s.Detail = Damaged, why(err)
	case f.matches(content):
		s.State = Published
	default:
		s.State = Differs
		if err := l.readable(f, content); err != nil {
			s.State, s.Detail = Damaged, why(err)
		}
	}
	return s
}

// why is an error without the file's path, which a status has already.
func why(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return (&fault.Error{Reason: e.Reason, Err: e.Err}).Error()
	}
	return err.Error()
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
