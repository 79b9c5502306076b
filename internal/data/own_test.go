package data

import (
	"errors"
	"image/color"
	"path/filepath"
	"slices"
	"testing"

	"jem/internal/fault"
)

// Whoever knows the classes finds them by name, whatever the folder has of them.
func TestLabelsOfKnownClasses(t *testing.T) {
	white := pngOf(picture(8, 8, color.White))
	for name, c := range map[string]struct {
		known, files []string
		split        Split
		labels       []int32
		refused      []string // what the message holds
	}{
		"all of them":                 {[]string{"a", "b"}, []string{"a/1.png", "b/1.png"}, Train, []int32{0, 1}, nil},
		"in another order":            {[]string{"b", "a"}, []string{"train/a/1.png", "train/b/1.png", "train/b/2.png"}, Train, []int32{0, 0, 1}, nil},
		"some of them":                {[]string{"a", "b", "c"}, []string{"b/1.png"}, Train, []int32{1}, nil},
		"test images alone":           {[]string{"a", "b"}, []string{"test/b/1.png"}, Test, []int32{1}, nil},
		"beside other training":       {[]string{"a", "b"}, []string{"train/x/1.png", "test/b/1.png"}, Test, []int32{1}, nil},
		"one more":                    {[]string{"a", "b"}, []string{"test/a/1.png", "test/aa/1.png"}, Test, nil, []string{"test/aa: is no class", "knows a, b"}},
		"one more to train on":        {[]string{"a", "b"}, []string{"a/1.png", "b/1.png", "c/1.png"}, Train, nil, []string{"c: is no class"}},
		"another spelling":            {[]string{"a", "b"}, []string{"A/1.png", "b/1.png"}, Train, nil, []string{"A: is no class"}},
		"more names than one lists":   {[]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d"}, []string{"e/1.png"}, Train, nil, []string{"knows 0, 1", " more"}},
		"a name that no terminal has": {[]string{"a", "b"}, []string{"\x1b[1m/1.png"}, Train, nil, []string{`\x1b[1m": is no class`}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range c.files {
				write(t, dir, file, white)
			}
			s, _, err := Open(Folder, c.split, OpenOptions{Dir: dir, Classes: c.known})
			if c.refused != nil {
				for _, want := range c.refused {
					refused(t, err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(s.Classes, c.known) {
				t.Errorf("classes %q, want %q", s.Classes, c.known)
			}
			// Images come class by class, in the order of the known list.
			if !slices.Equal(s.Labels, c.labels) {
				t.Errorf("labels %v, want %v", s.Labels, c.labels)
			}
		})
	}
	dir := t.TempDir()
	write(t, dir, "a/1.png", white)
	write(t, dir, "flat/test/1.png", white)
	for _, dir := range []string{dir, filepath.Join(dir, "nowhere"), filepath.Join(dir, "flat")} {
		if _, _, err := Open(Folder, Test, OpenOptions{Dir: dir, Classes: []string{"a", "b"}}); !errors.Is(err, fault.ErrMissing) {
			t.Errorf("no test images: %v", err)
		}
	}
}

// Two sets have one digest where, and only where, they hold the same images and labels in the same order.
func TestDigestIsOfPixelsAndLabels(t *testing.T) {
	s := Set{C: 1, H: 1, W: 2, Pixels: []uint8{1, 2, 3, 4}, Labels: []int32{0, 1}, Classes: []string{"a", "b"}}
	seen := map[string]string{}
	for name, change := range map[string]func(*Set){
		"itself": func(*Set) {}, "a pixel": func(s *Set) { s.Pixels = []uint8{1, 2, 3, 5} }, "a label": func(s *Set) { s.Labels = []int32{1, 1} },
		"the order": func(s *Set) { s.Pixels = []uint8{3, 4, 1, 2} }, "the shape": func(s *Set) { s.H, s.W = 2, 1 }, "the number": func(s *Set) { s.Labels, s.Pixels = s.Labels[:1], s.Pixels[:2] },
	} {
		other := s
		change(&other)
		if twin, twice := seen[other.Digest()]; twice {
			t.Errorf("%s and %s have one digest", name, twin)
		}
		seen[other.Digest()] = name
	}
	moved := s
	moved.Sources, moved.Name, moved.Classes = []Source{{Path: "elsewhere"}}, "other", []string{"x", "y"}
	if moved.Digest() != s.Digest() {
		t.Error("the digest depends on names and places")
	}
}
