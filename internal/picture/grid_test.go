package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func draw(t *testing.T, g Grid, b Batch) *image.NRGBA {
	t.Helper()
	img, err := g.Draw(b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func grey(v uint8) color.NRGBA { return color.NRGBA{v, v, v, 0xff} }

// Three grey images of 1×2 in two columns, enlarged three times: cells of 6×3 and
// gutters of 2.
func TestGridPutsEachPixelInItsPlace(t *testing.T) {
	img := draw(t, Grid{Columns: 2, Scale: 3}, Batch{N: 3, C: 1, H: 1, W: 2, Pix: []float32{-1, 1, 0, -0.5, 2, -2}})
	if got, want := img.Bounds().Size(), image.Pt(6+2+6, 3+2+3); got != want {
		t.Fatalf("size %v, want %v", got, want)
	}
	clear := color.NRGBA{}
	for _, c := range []struct {
		x, y int
		want color.NRGBA
	}{
		{0, 0, grey(0)}, {2, 2, grey(0)}, {3, 0, grey(255)}, {5, 2, grey(255)}, // −1, 1
		{6, 0, clear}, {7, 2, clear}, {0, 3, clear}, // gutters
		{8, 0, grey(128)}, {11, 2, grey(64)}, // 0 → 127.5, −0.5 → 63.75, rounded
		{0, 5, grey(255)}, {3, 7, grey(0)}, // 2 and −2, clamped
		{8, 5, clear}, // no fourth image
	} {
		if got := img.NRGBAAt(c.x, c.y); got != c.want {
			t.Errorf("pixel (%d,%d) is %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

func TestColoursComeFromTheirPlanes(t *testing.T) {
	nan := float32(math.NaN())
	img := draw(t, Grid{Columns: 2, Scale: 1}, Batch{N: 2, C: 3, H: 1, W: 1, Pix: []float32{1, 0, -1, 1, nan, 1}})
	if got := img.NRGBAAt(0, 0); got != (color.NRGBA{255, 128, 0, 255}) {
		t.Errorf("RGB pixel is %v", got)
	}
	if got := img.NRGBAAt(3, 0); got != notANumber {
		t.Errorf("NaN is drawn as %v, want %v", got, notANumber)
	}
}

func TestDefaultsMakeASquareOfVisibleImages(t *testing.T) {
	for _, c := range []struct{ n, h, w, wantW, wantH int }{
		{9, 32, 32, 3*64 + 4, 3*64 + 4},
		{7, 28, 28, 3*84 + 4, 3*84 + 4},   // 28 × 3 is the first multiple from 64
		{1, 100, 80, 80, 100},             // large enough as they are
		{10, 8, 8, 4*64 + 6, 3*64 + 2*2},  // ⌈√10⌉ = 4 columns
		{2, 32, 64, 2*64 + 2, 32},         // the longer side counts
		{3, 1, 1, 2*64 + 2, 2*64 + 2 + 0}, // single pixels
	} {
		img := draw(t, Grid{}, Batch{N: c.n, C: 1, H: c.h, W: c.w, Pix: make([]float32, c.n*c.h*c.w)})
		if got := img.Bounds().Size(); got != image.Pt(c.wantW, c.wantH) {
			t.Errorf("%d images of %d×%d: %v, want %d×%d", c.n, c.h, c.w, got, c.wantW, c.wantH)
		}
	}
}

func TestLabelsStandLeftOfTheirRows(t *testing.T) {
	b := Batch{N: 2, C: 1, H: 8, W: 8, Pix: make([]float32, 128)}
	img := draw(t, Grid{Columns: 1, Scale: 3, Labels: []string{"a", "deer"}}, b)
	const width = 4*8 + labelGap // the font's characters are 8 pixels wide
	if got := img.Bounds().Dx(); got != width+24 {
		t.Fatalf("width %d, want %d", got, width+24)
	}
	ink := func(r image.Rectangle) (n int) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				if img.NRGBAAt(x, y).A > 0 {
					n++
				}
			}
		}
		return n
	}
	if ink(image.Rect(0, 0, 24, 24)) > 0 || ink(image.Rect(24, 0, 32, 24)) == 0 {
		t.Error(`"a" is not flush right in the first row`)
	}
	if ink(image.Rect(0, 26, 32, 50)) < 2*ink(image.Rect(0, 0, 32, 24)) {
		t.Error(`"deer" is not in the second row`)
	}
	if ink(image.Rect(32, 0, width, 50)) > 0 {
		t.Error("the gap is not empty")
	}
}

func TestGridRefusesWhatIsNoBatch(t *testing.T) {
	for _, b := range []Batch{{}, {N: 1, C: 2, H: 1, W: 1, Pix: make([]float32, 2)}, {N: 1, C: 1, W: 1}, {N: 2, C: 1, H: 2, W: 2, Pix: make([]float32, 7)}} {
		if _, err := (Grid{}).Draw(b); err == nil || !strings.HasPrefix(err.Error(), "picture: ") {
			t.Errorf("%+v: got %v", b, err)
		}
	}
}

func TestBesideAlignsTheTops(t *testing.T) {
	a, b := image.NewNRGBA(image.Rect(5, 5, 7, 6)), image.NewGray(image.Rect(0, 0, 3, 4))
	a.SetNRGBA(6, 5, grey(9))
	b.SetGray(2, 3, color.Gray{200})
	img := Beside(10, a, b)
	if img.Bounds() != image.Rect(0, 0, 15, 4) || img.NRGBAAt(1, 0) != grey(9) || img.NRGBAAt(14, 3) != grey(200) {
		t.Errorf("bounds %v, pixels %v and %v", img.Bounds(), img.NRGBAAt(1, 0), img.NRGBAAt(14, 3))
	}
	if got := Beside(10).Bounds(); !got.Empty() {
		t.Errorf("nothing has bounds %v", got)
	}
}

func TestWritePNGWritesWhatItWasGiven(t *testing.T) {
	img := draw(t, Grid{}, Batch{N: 2, C: 3, H: 2, W: 2, Pix: make([]float32, 24)})
	path := filepath.Join(t.TempDir(), "x.png")
	if err := WritePNG(path, img); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(file))
	if err != nil || got.Bounds() != img.Bounds() || !bytes.Equal(got.(*image.NRGBA).Pix, img.Pix) {
		t.Errorf("read back: %v", err)
	}
}

func TestBlankPlacesAreTransparent(t *testing.T) {
	b := Batch{N: 2, C: 1, H: 1, W: 1, Pix: []float32{1, 1}, Blank: []bool{true, false}}
	img, err := Grid{Columns: 2, Scale: 1}.Draw(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, alpha := img.At(0, 0).RGBA(); alpha != 0 {
		t.Errorf("the blank place has alpha %d", alpha)
	}
	if r, _, _, alpha := img.At(1+gutter, 0).RGBA(); r != 0xffff || alpha != 0xffff {
		t.Errorf("the image is %d, alpha %d", r, alpha)
	}
	b.Blank = b.Blank[:1]
	if _, err := (Grid{}).Draw(b); err == nil {
		t.Error("one mark for two images is taken")
	}
}
