package data

import (
	"fmt"

	"jem/internal/data/layout"
	"jem/internal/fault"
)

// openOwn is Open for a folder of the user's own images, laid out as package layout knows. The
// classes are always those of the training images, or those of o, so that a label means the same in all parts.
func openOwn(split Split, o OpenOptions) (*Set, []string, error) {
	part, known := ownParts[split]
	if !known {
		return nil, nil, fmt.Errorf("a folder of images has no split %q", split)
	}
	l, err := ownLayout(o.Dir)
	if err != nil {
		return nil, nil, err
	}
	classes, notes, err := ownClasses(l, part, o.Classes)
	if err != nil {
		return nil, notes, err
	}
	s, more, err := openClasses(l.Folder(part), classes, o.Images)
	if err != nil {
		return nil, notes, fmt.Errorf("open folder of images: %w", err)
	}
	s.Split, notes = split, append(notes, more...)
	if part == layout.Train && o.Classes == nil {
		if err := s.everyClass(classes); err != nil {
			return nil, notes, err
		}
	}
	if o.Images.ByClass {
		return s.Limit(o.Limit), notes, nil
	}
	return s.Head(o.Limit), notes, nil
}

// everyClass refuses a class none of whose pictures could be read.
func (s *Set) everyClass(classes []layout.Class) error {
	there := make([]bool, s.K())
	for _, y := range s.Labels {
		there[y] = true
	}
	for y, c := range classes {
		if !there[y] {
			return &fault.Error{Path: c.Path, Kind: fault.ErrBad, Reason: "none of the pictures of this class can be read: mend them, or take the folder away"}
		}
	}
	return nil
}

// ownParts are the splits that a folder of one's own may have.
var ownParts = map[Split]layout.Part{Train: layout.Train, Valid: layout.Valid, Test: layout.Test}

// ownLayout looks at a folder.
func ownLayout(dir string) (layout.Layout, error) {
	if dir == "" {
		return layout.Layout{}, &fault.Error{Kind: fault.ErrMissing, Reason: "no folder of images named: set data.dir (--data-dir)"}
	}
	return layout.Of(dir)
}

// ownClasses are the classes in a part: those known by their names, or else those of the
// training images.
func ownClasses(l layout.Layout, part layout.Part, known []string) ([]layout.Class, []string, error) {
	if known != nil {
		return l.Known(part, known)
	}
	classes, notes, err := l.Classes()
	if err != nil || part == layout.Train {
		return classes, notes, err
	}
	return l.In(part, classes)
}

// FolderClasses lists the names of a folder's classes, those of its training images.
func FolderClasses(dir string) ([]string, error) {
	l, err := ownLayout(dir)
	if err != nil {
		return nil, err
	}
	classes, _, err := l.Classes()
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.Name
	}
	return names, err
}

// HasFolder reports whether a folder of images has one of its own for a split.
func HasFolder(dir string, split Split) bool {
	l, err := layout.Of(dir)
	return err == nil && l.Folder(ownParts[split]) != ""
}

// PictureFolders lists the folders whose pictures and classes a folder of images may be read
// from, of any split: whatever is put into them would be read the next time.
func PictureFolders(dir string) []string {
	l, err := layout.Of(dir)
	if err != nil {
		return []string{dir}
	}
	return l.Folders()
}
