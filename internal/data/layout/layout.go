package layout

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

// Part is a part of a set of pictures that may have a folder of its own.
type Part string

// The parts.
const (
	Train Part = "train"
	Valid Part = "valid"
	Test  Part = "test"
)

// partNames are the names of the folders of each part, in lower case: those of torchvision
// and Keras, of ultralytics, and of Kaggle.
var partNames = map[Part][]string{
	Train: {"train", "training"},
	Valid: {"val", "valid", "validation"},
	Test:  {"test", "testing"},
}

// partOf is the part that a folder's name stands for in any case of its letters; "" if none.
func partOf(name string) Part {
	for part, names := range partNames {
		if slices.Contains(names, strings.ToLower(name)) {
			return part
		}
	}
	return ""
}

// Layout says which parts a folder of pictures has.
type Layout struct {
	Dir   string
	top   contents
	parts map[Part]string // names of folders in Dir; without Train the classes lie in Dir itself
}

// Of looks at a folder. A sub-folder named for the training images makes it one of parts, in
// which other sub-folders are not used. Without one its sub-folders are classes, but for
// "test", and for one named for another part that has a sub-folder of a class's name: else
// valid beside invalid is a class, too. The error is fault.ErrMissing for a folder that isn't
// there, fault.ErrBad for two folders of one part, of which none is called as the part.
func Of(dir string) (Layout, error) {
	l := Layout{Dir: dir, parts: map[Part]string{}}
	var err error
	if l.top, err = look(dir); err != nil {
		return l, err
	}
	divided := slices.ContainsFunc(l.top.folders, func(name string) bool { return partOf(name) == Train })
	for _, name := range l.top.folders {
		part := partOf(name)
		if part == "" || !divided && name != string(Test) && !l.hasClasses(name) {
			continue
		}
		if other, twice := l.parts[part]; twice && other == string(part) {
			continue // train and test are so called whatever else is there
		} else if twice && name != string(part) {
			return l, &fault.Error{Path: dir, Kind: fault.ErrBad, Reason: fmt.Sprintf("%s and %s both stand for the %s images: leave one of them", other, name, inWords[part])}
		}
		l.parts[part] = name
	}
	return l, nil
}

// hasClasses reports whether a folder has a sub-folder named as another beside it.
func (l Layout) hasClasses(name string) bool {
	below, err := look(filepath.Join(l.Dir, name))
	return err == nil && slices.ContainsFunc(below.folders, func(class string) bool {
		return class != name && slices.Contains(l.top.folders, class)
	})
}

// Divided reports whether the training images have a folder of their own.
func (l Layout) Divided() bool { return l.parts[Train] != "" }

// Folder is the path of a part's folder; "" if it has none. That of Train always has one.
func (l Layout) Folder(part Part) string {
	name, has := l.parts[part]
	if !has && part != Train {
		return ""
	}
	return filepath.Join(l.Dir, name)
}

// Folders lists the folders that pictures are read from, and those that would be if they
// were there.
func (l Layout) Folders() []string {
	if !l.Divided() {
		return []string{l.Dir}
	}
	var all []string
	for _, part := range []Part{Train, Valid, Test} {
		if path := l.Folder(part); path != "" {
			all = append(all, path)
			continue
		}
		for _, name := range partNames[part] {
			all = append(all, filepath.Join(l.Dir, name))
		}
	}
	return all
}

// unused says what lies beside the folders of the parts.
func (l Layout) unused() []string {
	var names, used []string
	for _, name := range l.top.folders {
		if l.parts[partOf(name)] == name {
			used = append(used, name)
		} else {
			names = append(names, name)
		}
	}
	var notes []string
	if len(names) > 0 {
		notes = append(notes, fmt.Sprintf("%s: %s not used: images are read from %s", l.Dir, list(names)+isOrAre(len(names)), list(used)))
	}
	return append(notes, l.top.passed(l.Dir)...)
}

func isOrAre(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// contents are what a folder holds directly.
type contents struct {
	folders []string // names, in order
	stray   []string // names
	files   Files
}

// look reads a folder; what is hidden is left out, and links back to the folder or one around it.
func look(dir string) (c contents, err error) {
	c.files.Others = map[string]int{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return c, unreadable(dir, err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		mode, link := kind(e, path)
		switch {
		case hidden(e.Name()), mode.IsDir() && link && circle(dir, path):
		case mode.IsDir() && stray(e.Name()):
			c.stray = append(c.stray, e.Name())
		case mode.IsDir():
			c.folders = append(c.folders, e.Name())
		default:
			c.files.add(path, mode)
		}
	}
	return c, nil
}

// unreadable says why a folder can't be listed.
func unreadable(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Path: dir, Kind: fault.ErrMissing, Reason: "no such folder of images"}
	}
	if info, failed := os.Stat(dir); failed == nil && !info.IsDir() {
		return &fault.Error{Path: dir, Kind: fault.ErrBad, Reason: "is a file where a folder of pictures is expected, one sub-folder a class"}
	}
	return err
}

// passed notes what was passed over beside class folders.
func (c contents) passed(dir string) (notes []string) {
	if len(c.stray) > 0 {
		notes = append(notes, fmt.Sprintf("%s: passed over %s, left behind by a system or a program", dir, list(c.stray)))
	}
	if n := len(c.files.Pictures); n > 0 {
		notes = append(notes, fmt.Sprintf("%s: %d pictures beside the folders were passed over: which class or set they are of, a folder's name says", dir, n))
	}
	return notes
}
