package imagefile

import (
	"bytes"
	"image"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"jem/backend/philox"
	"jem/internal/mutation"

	"encoding/binary"
)

// seeds are pictures of every kind.
func seeds(t testing.TB) map[string][]byte {
	img := gradient(16, 8)
	all := map[string][]byte{
		"png":  withEXIF(pngOf(img), binary.LittleEndian, 6),
		"jpeg": withEXIF(jpegOf(img), binary.BigEndian, 8),
		"bmp":  encoded(func(b *bytes.Buffer) error { return bmp.Encode(b, img) }),
		"tiff": encoded(func(b *bytes.Buffer) error {
			return tiff.Encode(b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		}),
	}
	for _, name := range []string{"lossy.webp", "lossless.webp", "alpha.webp", "progressive.jpg", "cmyk.jpg", "animated.gif", "pages.tif"} {
		all[name] = testdata(t, name)
	}
	return all
}

// accept fails if what is accepted is no picture that can be drawn, upright and opaque.
func accept(t *testing.T, file []byte) bool {
	p, err := Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return false
	}
	for _, ground := range []Ground{White, Black, Stored} {
		if img := p.Draw(8, 8, ground); img.Rect != image.Rect(0, 0, 8, 8) || ground == White && !img.Opaque() {
			t.Errorf("drawn %v, opaque %v", img.Rect, img.Opaque())
		}
	}
	return true
}

func TestPicturesSurviveMutations(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 100
	}
	n = mutation.Count(n)
	for name, good := range seeds(t) {
		t.Run(name, func(t *testing.T) {
			if !accept(t, good) {
				t.Fatal("the picture itself is refused")
			}
			got := mutation.Run(good, n, func(file []byte) bool { return accept(t, file) })
			for _, f := range got.Failures {
				t.Error(f)
			}
			t.Logf("%d inputs, %d refused, slowest %v, largest %d KiB", n, got.Refused, got.Slowest, got.Largest>>10)
		})
	}
}

func FuzzPicture(f *testing.F) {
	for _, good := range seeds(f) {
		f.Add(good)
		for i := range 5 {
			f.Add(mutation.Keyed(good, philox.New(3, 0, philox.Test).At(i, 0)))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) { accept(t, file) })
}

func FuzzEXIF(f *testing.F) {
	file := withEXIF(pngOf(gradient(4, 4)), binary.BigEndian, 6)
	f.Add(file[41:])
	f.Fuzz(func(t *testing.T, exif []byte) {
		if o := orientationOf(exif); o < 0 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}
