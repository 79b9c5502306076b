package fault

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The kinds of trouble with data; test with errors.Is.
var (
	// ErrBad marks a file that is damaged, of another format or beyond a limit.
	ErrBad = errors.New("bad data")
	// ErrMissing marks a set whose files were not found.
	ErrMissing = errors.New("data not found")
)

// Error is trouble with one file or folder. It is ErrBad or ErrMissing by errors.Is,
// and also Err where a lower layer had something to say.
type Error struct {
	Path   string // file or folder
	Kind   error  // ErrBad or ErrMissing
	Reason string // what is wrong and what to do
	Err    error  // cause, may be nil
}

// Error is "path: reason: cause".
func (e *Error) Error() string {
	s := e.Reason
	if e.Path != "" {
		s = Printable(e.Path) + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns kind and cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Badf is a complaint of a decoder, which doesn't know the file's name; At adds it. The text is
// Sprintf's: a value of the file is at most 100 bytes of it.
func Badf(format string, args ...any) error {
	return &Error{Kind: ErrBad, Reason: Sprintf(format, args...)}
}

// At names the file in a decoder's complaint; other errors are wrapped as they are.
func At(path string, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Path == "" {
		return &Error{Path: path, Kind: e.Kind, Reason: e.Reason, Err: e.Err}
	}
	if err != nil && !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}

// Printable is a path for a message: quoted if it holds line breaks or control characters.
func Printable(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}
