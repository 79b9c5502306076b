package data

import (
	"fmt"

	"jem/internal/data/layout"
	"jem/internal/fault"
	"jem/internal/imagefile"
)

// FolderOptions says how a folder of images is read.
type FolderOptions struct {
	Size int  // side in pixels of the central square that images are cut and resized to, a multiple of 8; 0: all have one size already
	Grey bool // one channel instead of three

	Ground  imagefile.Ground // what transparent pixels lie on; empty: white
	SkipBad bool             // pass over pictures that can't be read
	ByClass bool             // a limit takes from all classes alike; false: the first images
}

// OpenFolder reads the pictures below a folder, whatever its layout, in the order
// of their names, those that lie in it directly first; other files are passed over with a
// note. Each sub-folder is a class.
func OpenFolder(dir string, o FolderOptions) (*Set, []string, error) {
	classes, err := layout.Anything(dir)
	if err != nil {
		return nil, nil, err
	}
	return openClasses(dir, classes, o)
}

// openClasses reads the pictures of the classes.
func openClasses(dir string, classes []layout.Class, o FolderOptions) (*Set, []string, error) {
	if o.Size < 0 || o.Size%8 != 0 || o.Size > MaxSide {
		return nil, nil, fmt.Errorf("image size %d: want a multiple of 8, at most %d", o.Size, MaxSide)
	}
	s := &Set{Name: Folder, C: 3, H: o.Size, W: o.Size, Sources: []Source{{Path: dir}}}
	if o.Grey {
		s.C = 1
	}
	g := &gathering{set: s, o: o}
	var passed layout.Passed
	for y, c := range classes {
		s.Classes = append(s.Classes, c.Name)
		files, err := c.Find()
		if err != nil {
			return nil, nil, err
		}
		passed.Add(files)
		for _, path := range files.Pictures {
			if err := g.add(path, int32(y)); err != nil {
				return nil, nil, err
			}
		}
	}
	notes, err := g.end(dir)
	if err != nil {
		return nil, nil, err
	}
	if s.Len() == 0 {
		return nil, nil, &fault.Error{Path: dir, Kind: fault.ErrMissing, Reason: "no pictures" + passed.Instead() + ": put them into one sub-folder a class"}
	}
	return s, append(notes, passed.Notes(dir)...), s.check()
}
