package layout

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/fault"
)

// Bounds on a walk: they end one through a disk that was named by mistake.
const (
	maxFiles = 10_000_000
	maxDepth = 32 // folders within each other
)

// Files are what lies below a folder.
type Files struct {
	Pictures []string       // paths of the files named as pictures
	Others   map[string]int // how many other files, by ending in lower case
	Stray    []string       // paths of folders that systems leave behind
	Deeper   int            // pictures in sub-folders
}

// Find lists the files of a folder and its sub-folders, each sub-folder's in its place in the
// order of names. Links are followed, but not in circles, and a folder that several links lead
// to is entered once. Names that begin with a dot are passed over. Whether a file can be read
// is not asked; a folder must be readable.
func Find(dir string) (*Files, error) {
	f := &Files{Others: map[string]int{}}
	w := walker{found: f, linked: map[string]bool{}}
	err := w.folder(dir, nil)
	return f, err
}

// HoldsPictures reports whether there is a picture below a folder, by the same walk. files is
// what was found until then: everything where there is none.
func HoldsPictures(dir string) (holds bool, files *Files, err error) {
	f := &Files{Others: map[string]int{}}
	w := walker{found: f, linked: map[string]bool{}, first: true}
	if err := w.folder(dir, nil); err != nil && err != fs.SkipAll {
		return false, f, err
	}
	return len(f.Pictures) > 0, f, nil
}

// walker goes through a folder.
type walker struct {
	found  *Files
	linked map[string]bool // folders that were entered by a link, by their real path
	files  int
	first  bool // stop at the first picture
}

// folder walks through one folder; above are the paths of those around it.
func (w *walker) folder(dir string, above []string) error {
	if len(above) == maxDepth {
		return &fault.Error{Path: above[0], Kind: fault.ErrBad, Reason: fmt.Sprintf("folders lie more than %d deep within each other", maxDepth)}
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return err
	}
	above = append(slices.Clip(above), dir)
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		if w.files++; w.files > maxFiles {
			return &fault.Error{Path: above[0], Kind: fault.ErrBad, Reason: fmt.Sprintf("more than %d files: not a folder of pictures", maxFiles)}
		}
		if err := w.entry(e, filepath.Join(dir, e.Name()), above); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(e fs.DirEntry, path string, above []string) error {
	mode, link := kind(e, path)
	switch {
	case mode.IsDir() && stray(e.Name()):
		w.found.Stray = append(w.found.Stray, path)
	case mode.IsDir() && link && !w.enter(path, above):
	case mode.IsDir():
		return w.folder(path, above)
	case w.found.add(path, mode) && len(above) > 1:
		w.found.Deeper++
	}
	if w.first && len(w.found.Pictures) > 0 {
		return fs.SkipAll
	}
	return nil
}

// add sorts in what is no folder, and reports whether it is a picture.
func (f *Files) add(path string, mode fs.FileMode) bool {
	switch {
	case mode.IsRegular() && picture(path):
		f.Pictures = append(f.Pictures, path)
		return true
	case mode.IsRegular():
		f.other(strings.ToLower(filepath.Ext(path)))
	default:
		f.other(pipe)
	}
	return false
}

// pipe stands for the ending of what is no regular file.
const pipe = "pipe"

// maxEndings bounds how many endings are told apart.
const maxEndings = 100

func (f *Files) other(ending string) {
	if _, known := f.Others[ending]; !known && len(f.Others) >= maxEndings {
		ending = "others"
	}
	f.Others[ending]++
}

// kind is what an entry is or, by a link, leads to. A link that leads nowhere counts as a
// file, so that whoever reads it finds out.
func kind(e fs.DirEntry, path string) (mode fs.FileMode, link bool) {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.Type(), false
	}
	if info, err := os.Stat(path); err == nil {
		return info.Mode().Type(), true
	}
	return 0, true
}

// enter reports whether a linked folder is to be walked through: none of those around it lies
// in it, and it was not entered before.
func (w *walker) enter(path string, above []string) bool {
	target, err := resolved(path)
	if err != nil || w.linked[target] {
		return false
	}
	if slices.ContainsFunc(above, func(dir string) bool { return circle(dir, path) }) {
		return false
	}
	w.linked[target] = true
	return true
}

// circle reports whether a link leads to a folder that a folder lies in, or to itself.
func circle(dir, link string) bool {
	around, err := resolved(dir)
	target, failed := resolved(link)
	return err != nil || failed != nil || within(around, target)
}

// resolved is the whole path of a folder, without links.
func resolved(path string) (string, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(whole)
}

// within reports whether a path is that of a folder, or of something below it.
func within(path, folder string) bool {
	below, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(below)
}
