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

// TestAlbum: pictures come in order, a batch at a time, and one that can't be read ends nothing.
func TestAlbum(t *testing.T) {
	dir := t.TempDir()
	one := flat(t, filepath.Join(dir, "one.png"), 16, 16, 255)
	folder := filepath.Join(dir, "folder")
	c := flat(t, filepath.Join(folder, "b", "x.png"), 40, 20, 51)
	a := flat(t, filepath.Join(folder, "a.png"), 16, 16, 0)
	flat(t, filepath.Join(folder, ".hidden", "x.png"), 16, 16, 0)
	write(t, folder, "notes.txt", nil)
	write(t, folder, "a2.png", pngOf(picture(16, 16, color.White))[:50])
	cut := filepath.Join(folder, "a2.png")
	album, notes, err := OpenAlbum([]string{one, folder}, FolderOptions{Size: 16})
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "no pictures by their names: 1 (1 .txt)") || !slices.Equal(album.Names, []string{one, a, cut, c}) {
		t.Fatalf("%v: notes %q, %v", album.Names, notes, err)
	}
	const d = 3 * 16 * 16
	var x [2 * d]float32
	if n := album.Next(x[:]); n != 2 || x[0] != 1 || x[d] != -1 {
		t.Errorf("%d pictures, first values %g and %g; want 2 with 1 and -1", n, x[0], x[d])
	}
	if n := album.Next(x[:]); n != 1 || math.Abs(float64(x[d-1]+0.6)) > 1e-6 {
		t.Errorf("%d pictures, value %g; want 1 with -0.6", n, x[d-1])
	}
	if n := album.Next(x[:]); n != 0 || !slices.Equal(album.Read(), []int{0, 1, 3}) || album.Bad(2) == nil || album.Bad(3) != nil {
		t.Errorf("%d pictures after the last; read %v", n, album.Read())
	}
	if text := strings.Join(album.Notes(), "; "); !strings.Contains(text, "1 of 3 pictures were cut") {
		t.Errorf("notes: %s", text)
	}
	if err := album.Err(); !errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), "1 of 4 pictures can't be read") || !strings.Contains(err.Error(), cut) {
		t.Errorf("error %v", err)
	}
}

func TestAlbumRefuses(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	for want, path := range map[string]string{"no such file": filepath.Join(dir, "none"), "no pictures": empty} {
		if _, _, err := OpenAlbum([]string{path}, FolderOptions{Size: 16}); !errors.Is(err, fault.ErrMissing) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	write(t, dir, "text.png", []byte("no picture"))
	album, _, err := OpenAlbum([]string{filepath.Join(dir, "text.png")}, FolderOptions{Size: 16})
	if err != nil {
		t.Fatal(err)
	}
	if album.Next(make([]float32, 3*16*16)) != 0 || album.Err() == nil || strings.Contains(album.Err().Error(), "1 of 1") {
		t.Errorf("error %v of a single file", album.Err())
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
	if _, notes, _ := OpenTensor(file("x", []int{1, 1, 1, 1}, 0.5), 1, 1, 1); len(notes) != 1 || !strings.Contains(notes[0], "if they are in [0,1], make 2x - 1") {
		t.Errorf("got %v of values in [0,1]", notes)
	}
	for want, path := range map[string]string{
		"no such file":          "none",
		`no tensor "x"`:         file("images", []int{1, 1, 1, 1}, 0),
		"has shape [1]":         file("x", []int{1}, 0),
		"with N ≥ 1":            file("x", []int{0, 1, 1, 1}),
		"holds 255 in image 2":  file("x", []int{2, 1, 1, 1}, 0, 255),
		"holds 0 to 9, nothing": file("x", []int{2, 1, 1, 1}, 0, 9),
		"holds NaN in image 1":  file("x", []int{1, 1, 1, 1}, float32(math.NaN())),
	} {
		if _, _, err := OpenTensor(path, 1, 1, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
