package data

import (
	"fmt"

	"jem/internal/data/layout"
	"jem/internal/imagefile"
)

// Album is pictures that are read as they are asked for, so that any number of them takes the
// memory of one.
type Album struct {
	Names []string // the files, in the order in which they are read

	o       FolderOptions
	next    int // of Names
	read    []int
	bad     map[int]error
	tally   imagefile.Tally
	resized int
}

// OpenAlbum lists picture files, and those in folders and their sub-folders, in the order given
// and there in the order of names. Each is cut to its central square and resized to o.Size, which
// must be set. Notes are sentences for the user.
func OpenAlbum(paths []string, o FolderOptions) (a *Album, notes []string, err error) {
	a = &Album{o: o, bad: map[int]error{}}
	var passed layout.Passed
	for _, p := range paths {
		found, err := pictures(p)
		if err != nil {
			return nil, nil, err
		}
		a.Names = append(a.Names, found.Pictures...)
		passed.Add(found)
	}
	return a, passed.Notes(""), nil
}

// channels is 1 or 3.
func (o FolderOptions) channels() int {
	if o.Grey {
		return 1
	}
	return 3
}

// Pixels gives a picture as an Album gives it of a file: cut to its central square, resized to o.Size, which must be set,
// (C,H,W) in [−1,1].
func (o FolderOptions) Pixels(p *imagefile.Picture) []float32 {
	planes := appendPlanes(nil, p.Draw(o.Size, o.Size, o.Ground), o.channels())
	x := make([]float32, len(planes))
	for i, v := range planes {
		x[i] = scale(v)
	}
	return x
}

// Next writes the next pictures (C,H,W), scaled to [−1,1], to dst and returns how many; fewer than dst
// holds only at the end. Pictures that can't be read are passed over, see Bad.
func (a *Album) Next(dst []float32) (n int) {
	d := a.o.channels() * a.o.Size * a.o.Size
	for ; (n+1)*d <= len(dst) && a.next < len(a.Names); a.next++ {
		p, err := readPicture(a.Names[a.next])
		if err != nil {
			a.bad[a.next] = err
			continue
		}
		a.tally.Add(p)
		if w, h := p.Size(); w != a.o.Size || h != a.o.Size {
			a.resized++
		}
		copy(dst[n*d:], a.o.Pixels(p))
		a.read = append(a.read, a.next)
		n++
	}
	return n
}

// Read are the places among Names of the pictures that Next gave, in order.
func (a *Album) Read() []int { return a.read }

// Bad is what is wrong with picture i of Names; nil where it was read, or its turn has not come.
func (a *Album) Bad(i int) error { return a.bad[i] }

// Notes are sentences for the user about the pictures that Next gave.
func (a *Album) Notes() []string {
	notes := a.tally.Notes(a.o.Ground)
	if a.resized > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d pictures were cut to their central square and resized to %d×%d pixels", a.resized, len(a.read), a.o.Size, a.o.Size))
	}
	return notes
}

// Err lists the pictures that could not be read, as an *Unreadable; nil where there are none.
func (a *Album) Err() error {
	u := &Unreadable{Of: a.next, Remedy: "all others were"}
	for i := range a.next {
		if err := a.bad[i]; err != nil {
			u.add(err)
		}
	}
	if u.Count == 0 {
		return nil
	}
	if len(a.read) == 0 {
		u.Remedy = "mend them"
	}
	return u
}
