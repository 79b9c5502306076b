package settings

import "strings"

// Fault is one thing wrong with the settings, as one sentence says it.
type Fault struct {
	Where   string // "file.yaml:3", "--set"; empty for a fault of the whole
	Path    string // dotted path of the key
	Problem string // lower case, no full stop, with value and remedy
}

func (f Fault) String() string {
	s := f.Path + ": " + f.Problem
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
