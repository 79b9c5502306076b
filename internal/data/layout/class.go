package layout

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"golang.org/x/text/unicode/norm"

	"jem/internal/fault"
)

// MaxClasses bounds the sub-folders of a folder of images: it keeps a wrong folder from
// becoming a network of a million outputs.
const MaxClasses = 10000

// Class is one class of a part. Its number is its place in the list.
type Class struct {
	Name  string
	Path  string // folder of its pictures; "": none
	files *Files // its files, where not all below Path are
}

// Find lists the files of a class.
func (c Class) Find() (*Files, error) {
	switch {
	case c.files != nil:
		return c.files, nil
	case c.Path == "":
		return &Files{}, nil
	}
	return Find(c.Path)
}

// Classes lists the classes of the training images. Notes say what is passed over in the
// whole folder.
func (l Layout) Classes() ([]Class, []string, error) {
	classes, notes, err := l.training()
	return classes, notes, cmp.Or(err, tooHigh(classes, l.Folder(Train)))
}

// training lists the classes that the folder of the training images has.
func (l Layout) training() ([]Class, []string, error) {
	if !l.Divided() {
		return l.top.classes(l.Dir, l.parts[Valid], l.parts[Test])
	}
	from := l.Folder(Train)
	top, err := look(from)
	if err != nil {
		return nil, nil, err
	}
	classes, notes, err := top.classes(from)
	return classes, append(l.unused(), notes...), err
}

// tooHigh says that a folder has been named, or named train, that lies above the one of the
// classes.
func tooHigh(classes []Class, from string) error {
	if len(classes) != 1 || classes[0].Path == from {
		return nil
	}
	below, err := Of(classes[0].Path)
	if err != nil || len(below.top.folders) < 2 || len(below.top.files.Pictures) > 0 {
		return nil
	}
	return &fault.Error{Path: from, Kind: fault.ErrBad, Reason: fmt.Sprintf("has one sub-folder with pictures, so one class; if the classes, or train and test, are %s, name %s",
		list(below.top.folders), fault.Printable(below.Dir))}
}

// In gives the classes of the training images, in their order, their folders in another part.
// Errors are those of Known.
func (l Layout) In(part Part, training []Class) ([]Class, []string, error) {
	var names []string
	for _, c := range training {
		names = append(names, c.Name)
	}
	classes, notes, err := l.found(part, names)
	if err != nil {
		return nil, notes, err
	}
	if from := l.Folder(part); training[0].Path == l.Folder(Train) && classes[0].Path == from { // images of one class on both sides
		return []Class{{Name: training[0].Name, Path: from, files: classes[0].files}}, notes, nil
	}
	classes, err = l.named(part, names, classes, inWords[part]+" images of a class that has no training folder of this name")
	return classes, notes, err
}

// Known gives the classes of a list, in its order, their folders in a part, of which some may
// be absent. The error is fault.ErrMissing where there is no such part, or where it isn't said
// of which class its pictures are; fault.ErrBad where a class is none of the list.
func (l Layout) Known(part Part, names []string) ([]Class, []string, error) {
	classes, notes, err := l.found(part, names)
	if err != nil {
		return nil, notes, err
	}
	classes, err = l.named(part, names, classes, "is no class that this network knows: it knows "+list(names)+"; rename the folder or take it away")
	return classes, notes, err
}

// found lists the classes of a part by the folders that are there.
func (l Layout) found(part Part, names []string) ([]Class, []string, error) {
	if part == Train {
		return l.training()
	}
	from := l.Folder(part)
	if from == "" {
		return nil, nil, &fault.Error{Path: l.Dir, Kind: fault.ErrMissing, Reason: fmt.Sprintf("has no sub-folder %q with %s images", part, inWords[part])}
	}
	if classes, err := annotated(from, names); classes != nil || err != nil {
		return classes, nil, err
	}
	top, err := look(from)
	if err != nil {
		return nil, nil, err
	}
	return top.classes(from)
}

var inWords = map[Part]string{Train: "training", Valid: "validation", Test: "test"}

// named gives the classes of a list their folders among those found in a part. Accents may be spelt
// as one character or as two: macOS takes them apart, other systems keep what was typed.
func (l Layout) named(part Part, names []string, found []Class, unknown string) ([]Class, error) {
	places, spelt := map[string]Class{}, map[string]string{}
	for _, c := range found {
		places[c.Name] = c
		spelt[norm.NFC.String(c.Name)] = c.Name
	}
	for _, name := range names {
		if _, ok := places[name]; ok { // no other spelling of another
			delete(spelt, norm.NFC.String(name))
		}
	}
	var classes []Class
	for _, name := range names {
		here := name
		if _, ok := places[name]; !ok {
			here = spelt[norm.NFC.String(name)]
		}
		c := places[here]
		c.Name = name
		classes = append(classes, c)
		delete(places, here)
	}
	for _, c := range found {
		switch _, left := places[c.Name]; {
		case left && len(found) == 1 && (c.Path == l.Folder(part) || c.Name == "images"):
			return nil, &fault.Error{Path: c.Path, Kind: fault.ErrMissing,
				Reason: "has no sub-folders of the classes' names: which class its pictures are of isn't known, so they can't be used"}
		case left:
			return nil, &fault.Error{Path: c.Path, Kind: fault.ErrBad, Reason: unknown}
		}
	}
	return classes, nil
}

// classes are the sub-folders that hold pictures, but for those excepted; where none does,
// the folder itself with what lies in it directly. One of pictures that aren't read is
// refused, others without pictures are passed over.
func (c contents) classes(dir string, except ...string) (classes []Class, notes []string, err error) {
	if len(c.folders) > MaxClasses {
		return nil, nil, &fault.Error{Path: dir, Kind: fault.ErrBad, Reason: fmt.Sprintf("more than %d sub-folders: not a folder of images with one sub-folder a class", MaxClasses)}
	}
	var empty []string
	for _, name := range c.folders {
		if slices.Contains(except, name) {
			continue
		}
		path := filepath.Join(dir, name)
		holds, files, err := HoldsPictures(path)
		switch {
		case err != nil:
			return nil, nil, err
		case holds:
			classes = append(classes, Class{Name: name, Path: path})
		case files.unread():
			return nil, nil, &fault.Error{Path: path, Kind: fault.ErrBad,
				Reason: fmt.Sprintf("no picture of this class can be read (there are %s): convert them to PNG, or take the folder away", endings(files.Others))}
		default:
			empty = append(empty, name)
		}
	}
	if len(empty) > 0 {
		notes = append(notes, fmt.Sprintf("%s: %s no pictures, so no class: passed over", dir, list(empty)+hasOrHave(len(empty))))
	}
	if len(classes) == 0 {
		alone := Class{Name: nameOf(dir), Path: dir, files: &c.files}
		return []Class{alone}, append(notes, contents{stray: c.stray}.passed(dir)...), nil
	}
	return classes, append(notes, c.passed(dir)...), nil
}

func hasOrHave(n int) string {
	if n == 1 {
		return " has"
	}
	return " have"
}

// unread reports whether there are pictures in formats that aren't read.
func (f *Files) unread() bool {
	return slices.ContainsFunc(unread, func(ending string) bool { return f.Others[ending] > 0 })
}

// nameOf is the name of a folder; "." is no name for a class.
func nameOf(dir string) string {
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole
	}
	return filepath.Base(dir)
}

// Anything lists all that lies below a folder, whatever its layout: its sub-folders as
// classes, after what lies in it directly.
func Anything(dir string) ([]Class, error) {
	top, err := look(dir)
	if err != nil {
		return nil, err
	}
	classes := []Class{{Name: nameOf(dir), Path: dir, files: &top.files}}
	if len(top.folders) > 0 && len(top.files.Pictures) == 0 {
		classes = nil
	}
	for _, name := range top.folders {
		classes = append(classes, Class{Name: name, Path: filepath.Join(dir, name)})
	}
	return classes, nil
}
