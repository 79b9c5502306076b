package settings

import (
	"slices"
	"strings"
)

// Fault is one thing wrong with the settings, as one sentence says it.
type Fault struct {
	Where   string // "file.yaml:3", "--set"; empty for a fault of the whole
	Path    string // dotted path of the key
	Problem string // lower case, no full stop, with value and remedy
}

func (f Fault) String() string {
	s := short(f.Path) + ": " + f.Problem
	if f.Path == "" {
		s = f.Problem
	}
	if f.Where != "" {
		s = f.Where + ": " + s
	}
	return s
}

// Error holds every fault that was found.
type Error struct{ Faults []Fault }

func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Join puts the faults of several errors, any of them nil, into one. Of several faults of
// one key the first error's stay: what is wrong with a value that was not even read says
// nothing. Without faults it returns nil.
func Join(errs ...*Error) error {
	var all faults
	for _, e := range errs {
		if e == nil {
			continue
		}
		earlier := all
		for _, f := range e.Faults {
			if !slices.ContainsFunc(earlier, func(g Fault) bool { return g.Path == f.Path }) {
				all = append(all, f)
			}
		}
	}
	return all.err()
}

// faults collects what goes wrong.
type faults []Fault

func (f *faults) add(where, path, problem string) {
	*f = append(*f, Fault{Where: where, Path: path, Problem: problem})
}

// err is nil without faults.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Faults: f}
}
