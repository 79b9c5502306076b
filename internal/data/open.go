package data

import (
	"fmt"
	"slices"

	"jem/internal/fault"
)

// Folder is the name under which Open reads a folder of images (OpenFolder).
const Folder = "folder"

// DirEnv is the environment variable that names the folder of the data sets.
const DirEnv = "JEM_DATA_DIR"

// OpenOptions says where a set is and, for a folder of images, how to read it.
type OpenOptions struct {
	// Dir holds the published files, or the set's published folder (cifar-10-batches-bin,
	// cifar-100-binary, svhn, mnist, fashion-mnist). Empty: $JEM_DATA_DIR, CacheDir and
	// /usr/share/datasets, in this order.
	Dir    string
	Limit  int           // keep only so many images, the first ones unless Images.ByClass; 0: all
	Images FolderOptions // for the name "folder"
	// Classes are the names that labels number, for those who know them: a folder of images may have
	// pictures of some of them only, in whatever order, and none of others. None: the set's own.
	Classes []string
}

// Open reads one split of a known set, or, by the name "folder", images of the user's own.
// Notes are sentences for the user: what is unusual, but usable. The error is ErrMissing if
// files are not there, ErrBad if they are not what they should be, by errors.Is.
func Open(name string, split Split, o OpenOptions) (*Set, []string, error) {
	if name == Folder {
		return openOwn(split, o)
	}
	l, err := Lookup(name)
	if err != nil {
		return nil, nil, err
	}
	s := &Set{Name: name, Split: split, C: l.C, H: l.Side, W: l.Side, Classes: l.Classes}
	if l.Drawn() && split != Extra {
		l.draw(s)
		return s.Head(o.Limit), nil, s.check()
	}
	files := l.files(split)
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("%s has no split %q", name, split)
	}
	from, err := l.find(files, o.Dir)
	if err != nil {
		return nil, nil, err
	}
	notes, err := l.read(s, from, files)
	if err != nil {
		return nil, notes, fmt.Errorf("open %s %s: %w", name, split, err)
	}
	return s.Head(o.Limit), notes, nil
}

// content is a file that was read: path and unpacked bytes.
type content struct {
	path  string
	bytes []byte
}

// read decodes the files into the set.
func (l Listing) read(s *Set, from place, files []File) (notes []string, err error) {
	var have []content
	for i, f := range files {
		path, err := from.locate(f)
		if err != nil {
			return notes, err
		}
		b, err := l.content(from, f, path)
		if err != nil {
			return notes, err
		}
		s.Sources = append(s.Sources, Source{Path: path, Verified: f.matches(b)})
		if have = append(have, content{path, b}); l.format == formatIDX && len(have) < 2 {
			continue // labels follow
		}
		if err := l.decode(s, have, len(files)-i); err != nil {
			return notes, fault.At(path, err)
		}
		have = have[:0]
	}
	for _, f := range s.Sources {
		if !f.Verified {
			notes = append(notes, fmt.Sprintf("%s is not the published file (its hash differs), but readable: used as it is; %d %s images in all", f.Path, s.Len(), s.Split))
		}
	}
	return notes, s.check()
}

// decode appends one file, or one pair of files, to the set; more is how many files of
// this size there are.
func (l Listing) decode(s *Set, have []content, more int) error {
	switch l.format {
	case formatCIFAR10, formatCIFAR100:
		if s.Pixels == nil {
			s.Pixels = slices.Grow(s.Pixels, more*len(have[0].bytes))
		}
		return decodeCIFAR(s, have[0].bytes, l.labelBytes())
	case formatIDX:
		return decodeIDX(s, have[0], have[1])
	default:
		return decodeSVHN(s, have[0].bytes, maxMAT)
	}
}

// labelBytes is how many bytes of labels stand before the pixels of a record of CIFAR.
func (l Listing) labelBytes() int { return 1 + int(l.format-formatCIFAR10) }
