package data

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jem/internal/fault"
	"jem/internal/safetensors"
)

// flat writes a PNG of one grey and returns its path.
func flat(t *testing.T, path string, w, h int, grey uint8) string {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = grey
	}
	img.SetGray(0, 0, color.Gray{grey})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenPictures(t *testing.T) {
	dir := t.TempDir()
	one := flat(t, filepath.Join(dir, "one.png"), 16, 16, 255)
	folder := filepath.Join(dir, "folder")
	b := flat(t, filepath.Join(folder, "b", "x.png"), 40, 20, 51)
	a := flat(t, filepath.Join(folder, "a.png"), 16, 16, 0)
	flat(t, filepath.Join(folder, ".hidden", "x.png"), 16, 16, 0)
	if err := os.WriteFile(filepath.Join(folder, "notes.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	s, names, notes, err := OpenPictures([]string{one, folder}, FolderOptions{Size: 16})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(names, []string{one, a, b}) || s.Len() != 3 || s.C != 3 || s.H != 16 || len(s.Pixels) != 3*s.Dim() {
		t.Errorf("got %d images of %d×%d×%d: %v", s.Len(), s.C, s.H, s.W, names)
	}
	if s.Image(0)[0] != 255 || s.Image(1)[5] != 0 || s.Image(2)[700] != 51 {
		t.Error("other pixels than the pictures have")
	}
	if text := strings.Join(notes, "; "); !strings.Contains(text, "1 files") || !strings.Contains(text, "1 of 3 pictures") {
		t.Errorf("notes: %s", text)
	}
}

func TestOpenPicturesRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.png")
	if err := os.WriteFile(text, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	for want, path := range map[string]string{
		"no such file":     filepath.Join(dir, "none"),
		"no PNG or JPEG":   empty,
		"picture can't be": text,
	} {
		_, _, _, err := OpenPictures([]string{path}, FolderOptions{Size: 16})
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, fault.ErrBad) && !errors.Is(err, fault.ErrMissing) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

func TestOpenTensor(t *testing.T) {
	file := func(name string, shape []int, values ...float32) string {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		var b bytes.Buffer
		if err := safetensors.Write(&b, []safetensors.Tensor{{Name: name, Shape: shape, F32: values}}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	x, notes, err := OpenTensor(file("x", []int{2, 1, 1, 2}, -1, 1, 0.5, -1.25), 1, 1, 2)
	if err != nil || !slices.Equal(x, []float32{-1, 1, 0.5, -1.25}) || len(notes) != 1 || !strings.Contains(notes[0], "1 of 4 values") {
		t.Errorf("got %v, %v, %v", x, notes, err)
	}
	if _, notes, _ := OpenTensor(file("x", []int{1, 1, 1, 1}, 0.5), 1, 1, 1); len(notes) != 1 || !strings.Contains(notes[0], "not in [0,1]") {
		t.Errorf("got %v of values in [0,1]", notes)
	}
	for want, path := range map[string]string{
		"no such file":         "none",
		`no tensor "x"`:        file("images", []int{1, 1, 1, 1}, 0),
		"has shape [1]":        file("x", []int{1}, 0),
		"with N ≥ 1":           file("x", []int{0, 1, 1, 1}),
		"holds 255 in image 2": file("x", []int{2, 1, 1, 1}, 0, 255),
		"holds NaN in image 1": file("x", []int{1, 1, 1, 1}, float32(math.NaN())),
	} {
		if _, _, err := OpenTensor(path, 1, 1, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
