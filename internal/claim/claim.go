// Package claim decides whether a command may write into a folder: one that is new, empty,
// or the command's own from before. Any other is refused before anything in it is touched.
//
// A folder is known as a command's own by its marker, an empty file that is made before
// anything else. Since making it is one operation, a process that is killed leaves an empty
// folder or a marked one, and nothing in between. The package doesn't know what commands
// write; two processes that claim one folder at the same time both get it, and a lock of
// the command's decides between them (package rundir).
//
//	if err := claim.Take("runs/first", kind); err != nil { … }
package claim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"jem/internal/durable"
	"jem/internal/failpoint"
)

// ErrRefused is what every refusal is, by errors.Is.
var ErrRefused = errors.New("folder refused")

// Kind is what a command's folders are known by.
type Kind struct {
	Of     string // whose a folder is, in messages: "a run"
	Marker string // the name of the marker, beginning with a dot; empty: there is none
	// Own reports whether an entry may be there: one that the command made, and will replace
	// or leave alone as it needs. A temporary file of durable.WriteFile comes by the name that
	// it was to get.
	Own func(folder, name string, marked bool) bool
}

// ForeignError says that a folder holds what the command didn't put there.
type ForeignError struct {
	Path  string
	Of    string   // Kind.Of
	Names []string // sorted
}

// shown is how many entries a ForeignError names.
const shown = 3

func (e *ForeignError) Error() string {
	var names []string
	for _, n := range e.Names[:min(shown, len(e.Names))] {
		if strings.ContainsFunc(n, func(r rune) bool { return !strconv.IsPrint(r) }) {
			n = strconv.Quote(n)
		}
		names = append(names, n)
	}
	list := strings.Join(names, ", ")
	if more := len(e.Names) - len(names); more > 0 {
		list += fmt.Sprintf(" … and %d more", more)
	}
	return fmt.Sprintf("%s holds %s, which %s did not put there: name a folder that is new or empty", e.Path, list, e.Of)
}

// Unwrap returns ErrRefused.
func (e *ForeignError) Unwrap() error { return ErrRefused }

// droppings are what systems leave in folders that people look at, and at the root of
// disks. They are nobody's work, and nothing here touches them.
var droppings = []string{".DS_Store", "Thumbs.db", "desktop.ini", ".directory", "lost+found"}

// Check looks whether Take would be refused, and touches nothing. Errors: *ForeignError, or
// of the file system.
func Check(folder string, k Kind) error {
	folder = filepath.Clean(folder) // as filepath.Join will, so that this is the folder written to
	entries, err := list(folder)
	if err != nil {
		return err
	}
	marked := slices.ContainsFunc(entries, k.marks)
	var foreign []string
	for _, e := range entries {
		name := e.Name()
		if original, temporary := durable.Original(name); temporary && e.Type().IsRegular() {
			name = original
		}
		if !k.marks(e) && !slices.Contains(droppings, name) && !k.Own(folder, name, marked) {
			foreign = append(foreign, e.Name())
		}
	}
	if len(foreign) > 0 {
		return &ForeignError{folder, k.Of, foreign}
	}
	return nil
}

// Take makes a folder the command's own: it is made where it isn't there, and marked. Errors
// are those of Check.
func Take(folder string, k Kind) error {
	folder = filepath.Clean(folder)
	if err := Check(folder, k); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if k.Marker == "" || Marked(folder, k) {
		return nil
	}
	path := filepath.Join(folder, k.Marker)
	return failpoint.Around("claim.mark", path, func() error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
		if err != nil {
			return err
		}
		// Before what follows is on the disk, or a power cut could leave that without it.
		return errors.Join(f.Close(), durable.SyncDir(folder))
	})
}

// Marked reports whether a folder has the marker.
func Marked(folder string, k Kind) bool {
	info, err := os.Lstat(filepath.Join(folder, k.Marker))
	return err == nil && k.marks(fs.FileInfoToDirEntry(info))
}

// marks reports whether an entry is the marker.
func (k Kind) marks(e fs.DirEntry) bool {
	return k.Marker != "" && e.Name() == k.Marker && e.Type().IsRegular()
}

// list returns a folder's entries, sorted by name; none if it isn't there.
func list(folder string) ([]fs.DirEntry, error) {
	info, err := os.Stat(folder) // before it is opened: a pipe would wait for ever
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "write into", Path: folder, Err: syscall.ENOTDIR}
	}
	if err != nil {
		return nil, err
	}
	return os.ReadDir(folder)
}
