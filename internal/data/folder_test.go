package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/internal/fault"
	"jem/internal/imagefile"
)

// picture is a w×h image of one colour.
func picture(w, h int, c color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Set(i%w, i/w, c)
	}
	return img
}

func pngOf(img image.Image) []byte {
	var b bytes.Buffer
	png.Encode(&b, img)
	return b.Bytes()
}

func jpegOf(img image.Image) []byte {
	var b bytes.Buffer
	jpeg.Encode(&b, img, nil)
	return b.Bytes()
}

func TestFolderHasAClassPerSubfolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "test/dog/b.jpg", jpegOf(picture(16, 8, color.Gray{200})))
	write(t, dir, "test/cat/a.PNG", pngOf(picture(16, 8, color.NRGBA{10, 20, 30, 255})))
	write(t, dir, "test/cat/notes.txt", []byte("x"))
	write(t, dir, "cat/a.png", pngOf(picture(16, 8, color.White)))
	write(t, dir, "dog/a.png", pngOf(picture(16, 8, color.White)))
	s, notes, err := Open(Folder, Test, OpenOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if s.C != 3 || s.H != 8 || s.W != 16 || s.Len() != 2 || strings.Join(s.Classes, " ") != "cat dog" || s.Labels[1] != 1 {
		t.Errorf("%d×%d×%d, %d images, classes %v, labels %v", s.C, s.H, s.W, s.Len(), s.Classes, s.Labels)
	}
	if p := s.Image(0); p[0] != 10 || p[128] != 20 || p[256] != 30 {
		t.Errorf("planes begin with %d %d %d, want 10 20 30", p[0], p[128], p[256])
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "no pictures by their names: 1 (1 .txt)") {
		t.Errorf("notes %q: want one on notes.txt", notes)
	}
}

// Labels of the test images are those of the training images' classes, whatever folders the test has.
func TestFolderSplitsShareTheirClasses(t *testing.T) {
	white := pngOf(picture(8, 8, color.White))
	for name, c := range map[string]struct {
		files   []string
		classes string
		train   []int32
		test    []int32
		missing bool
	}{
		"train and test":           {[]string{"train/a/1.png", "train/b/1.png", "test/b/1.png"}, "a b", []int32{0, 1}, []int32{1}, false},
		"test beside the classes":  {[]string{"a/1.png", "b/1.png", "b/2.png", "test/b/1.png"}, "a b", []int32{0, 1, 1}, []int32{1}, false},
		"no test":                  {[]string{"a/1.png", "b/1.png"}, "a b", []int32{0, 1}, nil, true},
		"one class":                {[]string{"train/1.png", "test/1.png", "test/2.png"}, "train", []int32{0}, []int32{0, 0}, false},
		"hidden folders":           {[]string{".cache/1.png", "a/1.png"}, "a", []int32{0}, nil, true},
		"a class without pictures": {[]string{"a/1.png", "b/note.txt"}, "a", []int32{0}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range c.files {
				write(t, dir, file, white)
			}
			s, _, err := Open(Folder, Train, OpenOptions{Dir: dir})
			if err != nil || strings.Join(s.Classes, " ") != c.classes || !slices.Equal(s.Labels, c.train) {
				t.Errorf("train: %+v, %v", s, err)
			}
			s, _, err = Open(Folder, Test, OpenOptions{Dir: dir})
			if c.missing != errors.Is(err, fault.ErrMissing) || !c.missing && (strings.Join(s.Classes, " ") != c.classes || !slices.Equal(s.Labels, c.test)) {
				t.Errorf("test: %+v, %v", s, err)
			}
		})
	}
	dir := t.TempDir()
	write(t, dir, "train/a/1.png", white)
	write(t, dir, "test/c/1.png", white)
	_, _, err := Open(Folder, Test, OpenOptions{Dir: dir})
	refused(t, err, filepath.Join(dir, "test", "c"), "no training folder")
}

// A class whose pictures are all passed over is no class without pictures.
func TestAClassOfBadPicturesIsRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/1.png", pngOf(picture(8, 8, color.White)))
	write(t, dir, "b/1.png", []byte("no picture"))
	_, _, err := Open(Folder, Train, OpenOptions{Dir: dir, Images: FolderOptions{SkipBad: true}})
	refused(t, err, filepath.Join(dir, "b"), "none of the pictures")
}

func TestLimitOfOwnPictures(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"a/1.png", "a/2.png", "a/3.png", "b/1.png", "b/2.png"} {
		write(t, dir, file, pngOf(picture(8, 8, color.White)))
	}
	for byClass, want := range map[bool][]int32{false: {0, 0, 0}, true: {0, 0, 1}} {
		s, _, err := Open(Folder, Train, OpenOptions{Dir: dir, Limit: 3, Images: FolderOptions{ByClass: byClass}})
		if err != nil || !slices.Equal(s.Labels, want) {
			t.Errorf("by class %v: %v, %v", byClass, s, err)
		}
	}
}

func TestFolderIsCutAndResized(t *testing.T) {
	dir := t.TempDir()
	// Red with a green square in the middle: the central cut leaves green only.
	img := picture(96, 48, color.NRGBA{255, 0, 0, 255}).(*image.NRGBA)
	for y := range 48 {
		for x := 24; x < 72; x++ {
			img.Set(x, y, color.NRGBA{0, 255, 0, 255})
		}
	}
	write(t, dir, "a.png", pngOf(img))
	write(t, dir, "b.png", pngOf(picture(20, 10, color.White)))
	s, notes, err := Open(Folder, Train, OpenOptions{Dir: dir, Images: FolderOptions{Size: 24, Grey: true}})
	if err != nil {
		t.Fatal(err)
	}
	if s.C != 1 || s.H != 24 || s.W != 24 || s.K() != 1 || len(notes) != 0 {
		t.Fatalf("%d×%d×%d, %d classes, notes %q", s.C, s.H, s.W, s.K(), notes)
	}
	for i, v := range s.Image(0) {
		if v != 150 { // 0.587·255, the luma of green
			t.Fatalf("pixel %d is %d, want green's luma 150", i, v)
		}
	}
}

func TestBadFoldersAreRefused(t *testing.T) {
	small := pngOf(picture(8, 8, color.White))
	for name, c := range map[string]struct {
		files map[string][]byte
		size  int
		kind  error
		says  string
	}{
		"no images":     {map[string][]byte{"a.txt": nil}, 8, fault.ErrMissing, "no pictures"},
		"mixed sizes":   {map[string][]byte{"a.png": small, "b.png": pngOf(picture(16, 8, color.White))}, 0, fault.ErrBad, "16×8 pixels, the first image has 8×8"},
		"odd size":      {map[string][]byte{"a.png": pngOf(picture(9, 8, color.White))}, 0, fault.ErrBad, "multiples of 8"},
		"cut":           {map[string][]byte{"a.png": small[:40]}, 8, fault.ErrBad, "a.png"},
		"no picture":    {map[string][]byte{"a.jpg": []byte("hello")}, 8, fault.ErrBad, "a.jpg"},
		"huge pictures": {map[string][]byte{"a.png": claim(small, 1<<20, 1<<20)}, 8, fault.ErrBad, "1048576×1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range c.files {
				write(t, dir, file, content)
			}
			_, _, err := OpenFolder(dir, FolderOptions{Size: c.size})
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v saying %q", err, c.kind, c.says)
			}
		})
	}
	if _, _, err := OpenFolder(t.TempDir()+"/none", FolderOptions{}); !errors.Is(err, fault.ErrMissing) {
		t.Errorf("error %v for a folder that isn't there, want missing", err)
	}
	if _, _, err := OpenFolder(t.TempDir(), FolderOptions{Size: 12}); err == nil {
		t.Error("size 12 is accepted, want a multiple of 8")
	}
}

// TestBadPicturesAreNamedAtOnce: all of them in one error, or passed over with a note.
func TestBadPicturesAreNamedAtOnce(t *testing.T) {
	dir := t.TempDir()
	good := pngOf(picture(8, 8, color.White))
	for i := range 12 {
		write(t, dir, fmt.Sprintf("cat/%02d.png", i), good[:40])
	}
	write(t, dir, "cat/good.jpg", good)
	write(t, dir, "dog/photo.heic", []byte("\x00\x00\x00\x18ftypheic"))
	write(t, dir, "dog/a.png", good)
	o := FolderOptions{Size: 8}
	_, _, err := OpenFolder(dir, o)
	var u *Unreadable
	if !errors.As(err, &u) || !errors.Is(err, fault.ErrBad) || u.Count != 13 || u.Of != 15 || len(u.First) != maxNamed {
		t.Fatalf("error %v, want 13 of 15 with the first ten", err)
	}
	for _, want := range []string{"13 of 15", "00.png", "09.png", "and 3 more", "data.skip_bad"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	o.SkipBad = true
	s, notes, err := OpenFolder(dir, o)
	if err != nil || s.Len() != 2 || s.Labels[0] != 0 || s.Labels[1] != 1 || len(notes) != 1 || !strings.Contains(notes[0], "13 of 15 pictures") {
		t.Errorf("%d images, notes %q, %v", s.Len(), notes, err)
	}
	if _, _, err = OpenFolder(filepath.Join(dir, "cat"), FolderOptions{Size: 16, SkipBad: true}); err != nil {
		t.Errorf("one good picture: %v", err)
	}
	write(t, dir, "cat/good.jpg", good[:40])
	if _, _, err = OpenFolder(filepath.Join(dir, "cat"), o); !errors.As(err, &u) {
		t.Errorf("no good picture: %v, want the bad ones", err)
	}
	gone := filepath.Join(dir, "cat", "gone.png")
	if err := os.Symlink("nowhere", gone); err != nil {
		t.Skip(err)
	}
	if _, err := readPicture(gone); !errors.Is(err, fault.ErrMissing) || !strings.HasPrefix(err.Error(), gone+": no such file, or a link") {
		t.Errorf("a link to nothing: %v", err)
	}
}

// TestTransparentPicturesLieOnTheGround: a dark disc and a dark bar differ on white.
func TestTransparentPicturesLieOnTheGround(t *testing.T) {
	dir := t.TempDir()
	img := picture(8, 8, color.NRGBA{200, 100, 50, 0}).(*image.NRGBA)
	img.SetNRGBA(0, 0, color.NRGBA{10, 20, 30, 255})
	write(t, dir, "a.png", pngOf(img))
	write(t, dir, "b.png", pngOf(picture(8, 8, color.White)))
	for ground, want := range map[imagefile.Ground]uint8{"": 255, imagefile.White: 255, imagefile.Black: 0, imagefile.Stored: 200} {
		s, notes, err := OpenFolder(dir, FolderOptions{Size: 8, Ground: ground})
		if err != nil {
			t.Fatal(err)
		}
		if p := s.Image(0); p[0] != 10 || p[1] != want {
			t.Errorf("%q: pixels %d, %d; want 10, %d", ground, p[0], p[1], want)
		}
		if len(notes) != 1 || !strings.Contains(notes[0], "1 of 2 pictures are transparent") {
			t.Errorf("%q: notes %q", ground, notes)
		}
	}
}

// claim changes the size in a PNG's header.
func claim(file []byte, w, h uint32) []byte {
	b := bytes.Clone(file)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}
