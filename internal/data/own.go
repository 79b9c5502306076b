package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jem/internal/fault"
)

// maxClasses bounds the sub-folders of a folder of images: it keeps a wrong folder from
// becoming a network of a million outputs.
const maxClasses = 10000

// class is one class of a folder of images. Its number is its place in the list.
type class struct{ name, path string }

// openOwn is Open for a folder of the user's own images. Its sub-folder "test", if there is one, is
// the test split; its sub-folder "train", or else everything but "test", is the training
// split. The classes are always those of the training images, so that a label means the same in both.
func openOwn(split Split, o OpenOptions) (*Set, []string, error) {
	if o.Dir == "" {
		return nil, nil, &fault.Error{Kind: fault.ErrMissing, Reason: "no folder of images named: set data.dir (--data-dir)"}
	}
	if split != Train && split != Test {
		return nil, nil, fmt.Errorf("a folder of images has no split %q", split)
	}
	dir, classes, err := ownClasses(split, o.Dir)
	if err != nil {
		return nil, nil, err
	}
	s, notes, err := openClasses(dir, classes, o.Images)
	if err != nil {
		return nil, nil, fmt.Errorf("open folder of images: %w", err)
	}
	s.Split = split
	return s.Head(o.Limit), notes, nil
}

// FolderClasses lists the names of a folder's classes, those of its training images.
func FolderClasses(dir string) ([]string, error) {
	_, classes, err := ownClasses(Train, dir)
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
	}
	return names, err
}

// PictureFolders lists the folders whose pictures and classes a folder of images may be read
// from, of either split: whatever is put into them would be read the next time.
func PictureFolders(dir string) []string {
	if from := filepath.Join(dir, string(Train)); isDir(from) {
		return []string{from, filepath.Join(dir, string(Test))}
	}
	return []string{dir}
}

// ownClasses returns the folder of a split and the classes with their folders in it.
func ownClasses(split Split, dir string) (string, []class, error) {
	from, except := filepath.Join(dir, string(Train)), ""
	if !isDir(from) {
		from, except = dir, string(Test)
	}
	classes, err := classFolders(from, except)
	if err != nil || split == Train {
		return from, classes, err
	}
	to := filepath.Join(dir, string(Test))
	if !isDir(to) {
		return to, nil, &fault.Error{Path: dir, Kind: fault.ErrMissing, Reason: "has no sub-folder \"test\" with test images"}
	}
	tests, err := classFolders(to, "")
	if err != nil {
		return to, nil, err
	}
	if classes[0].path == from && tests[0].path == to { // images of one class on both sides
		return to, []class{{classes[0].name, to}}, nil
	}
	classes, err = matched(classes, tests)
	return to, classes, err
}

// matched gives the training classes the test images' folders.
func matched(classes, tests []class) ([]class, error) {
	var out []class
	for _, c := range classes {
		i := slices.IndexFunc(tests, func(t class) bool { return t.name == c.name })
		if i < 0 {
			out = append(out, class{name: c.name})
			continue
		}
		out, tests = append(out, tests[i]), slices.Delete(slices.Clone(tests), i, i+1)
	}
	if len(tests) > 0 {
		return nil, &fault.Error{Path: tests[0].path, Kind: fault.ErrBad, Reason: "test images of a class that has no training folder of this name"}
	}
	return out, nil
}

// classFolders lists the sub-folders but the one excepted, in the order of their names, or the folder itself if there are none.
func classFolders(dir, except string) ([]class, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &fault.Error{Path: dir, Kind: fault.ErrMissing, Reason: "no such folder of images"}
	} else if err != nil {
		return nil, err
	}
	var classes []class
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") || e.Name() == except || !isDir(path) {
			continue
		}
		if len(classes) == maxClasses {
			return nil, &fault.Error{Path: dir, Kind: fault.ErrBad, Reason: fmt.Sprintf("more than %d sub-folders: not a folder of images with one sub-folder a class", maxClasses)}
		}
		classes = append(classes, class{e.Name(), path})
	}
	if len(classes) == 0 {
		name := dir
		if whole, err := filepath.Abs(dir); err == nil {
			name = whole // "." is no name for a class
		}
		classes = []class{{filepath.Base(name), dir}}
	}
	return classes, nil
}

// isDir holds for folders and links to folders.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
