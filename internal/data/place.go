package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"jem/internal/fault"
)

// place is a folder that a set's files may be in.
type place struct {
	dir    string
	python bool // CIFAR's Python version: the same images under other names, pickled
}

// locate returns the path of a file, packed or not; see the function of this name.
func (p place) locate(f File) (string, error) {
	if p.python {
		return locate(p.dir, strings.TrimSuffix(f.Name, ".bin"))
	}
	return locate(p.dir, f.Name)
}

// lacks reports whether one of the files isn't there.
func (p place) lacks(files []File) (bool, error) {
	for _, f := range files {
		if _, err := p.locate(f); errors.Is(err, fs.ErrNotExist) {
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
	return false, nil
}

// content reads a file of the place at path, as it is in the version that Open reads.
func (l Listing) content(p place, f File, path string) ([]byte, error) {
	b, err := readContent(path, f.limit())
	if err == nil && p.python {
		b, err = fromPython(b, l.labelBytes())
	}
	return b, fault.At(path, err)
}

// find returns the first place that holds all the files.
func (l Listing) find(files []File, dir string) (place, error) {
	if err := l.folder(dir); err != nil {
		return place{}, err
	}
	var looked []string
	for _, p := range l.places(dir) {
		lacks, err := p.lacks(files)
		switch {
		case dir == "" && errors.Is(err, fs.ErrPermission): // a home that is another's: nobody named it
			looked = append(looked, p.dir+" (permission denied)")
		case err != nil:
			return place{}, err
		case !lacks:
			return p, nil
		default:
			looked = append(looked, p.dir)
		}
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	return place{}, &fault.Error{Kind: fault.ErrMissing, Reason: fmt.Sprintf("%s not found: put %s (or .gz of each) into %s, or run: jem data fetch %s; looked in %s",
		l.Name, strings.Join(names, ", "), looked[0], l.Name, strings.Join(looked, ", "))}
}

// folder refuses a file where the folder of data sets is to be.
func (l Listing) folder(dir string) error {
	if info, err := os.Stat(dir); err != nil || info.IsDir() {
		return nil
	}
	return &fault.Error{Path: dir, Kind: fault.ErrBad, Reason: fmt.Sprintf("is a file: name the folder of %s's published files; arrays of NumPy (.npz, .npy) are not read", l.Name)}
}

// places lists the folders to look in, the likeliest first. A folder that the caller names
// is the only one to look below.
func (l Listing) places(dir string) []place {
	if dir != "" {
		return l.below(dir)
	}
	var ps []place
	if dir = os.Getenv(DirEnv); dir != "" {
		ps = l.below(dir)
	}
	if cache, err := CacheDir(); err == nil {
		ps = append(ps, place{dir: filepath.Join(cache, l.Folder)})
	}
	return append(ps, place{dir: filepath.Join("/usr/share/datasets", l.Folder)}) // Debian's dataset-… packages
}

// below lists the places in a folder of data sets, or in the set's own.
func (l Listing) below(dir string) []place {
	ps := []place{{dir: filepath.Join(dir, l.Folder)}, {dir: dir}}
	if l.Torchvision == "" {
		return ps
	}
	inner, python := filepath.FromSlash(l.Torchvision), l.format == formatCIFAR10 || l.format == formatCIFAR100
	ps = append(ps, place{filepath.Join(dir, inner), python})
	first, _, _ := strings.Cut(l.Torchvision, "/")
	if whole, err := filepath.Abs(dir); err == nil && filepath.Base(whole) == first {
		ps = append(ps, place{filepath.Join(filepath.Dir(whole), inner), python})
	}
	return ps
}

// CacheDir is where Fetch puts sets and Open looks last: jem/data in the user's cache folder.
func CacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder: %w; name a data folder or set %s", err, DirEnv)
	}
	return filepath.Join(cache, "jem", "data"), nil
}
