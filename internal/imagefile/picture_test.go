package imagefile

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

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"jem/internal/fault"
)

// The files in testdata are Pillow's (version 13): 16×8 pixels, the left half (200,40,40), the right one
// (40,60,220); alpha.webp and lossless.webp are transparent on the right, and the latter's EXIF says orientation 6.

// read reads a picture that must be one.
func read(t *testing.T, file []byte) *Picture {
	t.Helper()
	p, err := Read(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// gradient is a picture without symmetry.
func gradient(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(5 * x), uint8(8 * y), uint8(3 * (x + y)), 255})
		}
	}
	return img
}

func encoded(encode func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

func pngOf(img image.Image) []byte {
	return encoded(func(b *bytes.Buffer) error { return png.Encode(b, img) })
}

func jpegOf(img image.Image) []byte {
	return encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, img, &jpeg.Options{Quality: 100}) })
}

// near holds where colours differ by tolerance at most.
func near(a, b color.RGBA, tolerance int) bool {
	d := func(a, b uint8) bool { return int(a)-int(b) <= tolerance && int(b)-int(a) <= tolerance }
	return d(a.R, b.R) && d(a.G, b.G) && d(a.B, b.B)
}

// TestKindsShowTheSame: every kind shows what was drawn. Lossy ones round colours to half sizes of 8-bit
// chroma and quantise: 3 of 255 on flat areas.
func TestKindsShowTheSame(t *testing.T) {
	left, right := color.RGBA{200, 40, 40, 255}, color.RGBA{40, 60, 220, 255}
	flat := image.NewNRGBA(image.Rect(0, 0, 16, 8))
	for i := range 16 * 8 {
		c := left
		if i%16 >= 8 {
			c = right
		}
		flat.Set(i%16, i/16, c)
	}
	files := map[string][]byte{
		"png": pngOf(flat), "jpeg": jpegOf(flat),
		"bmp":  encoded(func(b *bytes.Buffer) error { return bmp.Encode(b, flat) }),
		"tiff": encoded(func(b *bytes.Buffer) error { return tiff.Encode(b, flat, nil) }),
	}
	for _, name := range []string{"lossy.webp", "progressive.jpg", "cmyk.jpg", "animated.gif", "pages.tif"} {
		files[name] = testdata(t, name)
	}
	for name, file := range files {
		p := read(t, file)
		if w, h := p.Size(); w != 16 || h != 8 || p.Transparent || p.Turned || p.Dim {
			t.Errorf("%s: %d×%d, %+v", name, w, h, p)
		}
		if several := name == "animated.gif" || name == "pages.tif"; p.Several != several {
			t.Errorf("%s: several frames %v, want %v", name, p.Several, several)
		}
		img := p.Draw(16, 8, White)
		if l, r := img.RGBAAt(2, 4), img.RGBAAt(13, 4); !near(l, left, 3) || !near(r, right, 3) {
			t.Errorf("%s: colours %v and %v, want %v and %v", name, l, r, left, right)
		}
	}
}

// withEXIF puts EXIF data with that orientation into a PNG or JPEG.
func withEXIF(file []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	exif := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		exif = []byte("MM\x00*")
	}
	exif = order.AppendUint32(exif, 8)
	exif = order.AppendUint16(exif, 2)
	exif = append(order.AppendUint32(order.AppendUint16(order.AppendUint16(exif, 0x0110), 2), 4), "cam\x00"...)
	exif = order.AppendUint16(order.AppendUint32(order.AppendUint16(order.AppendUint16(exif, 0x0112), 3), 1), orientation)
	exif = append(exif, make([]byte, 6)...)
	if file[0] == 0xff {
		exif = append([]byte(exifHead), exif...)
		segment := append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(exif))), exif...)
		return slices.Concat(file[:2], segment, file[2:])
	}
	return slices.Insert(bytes.Clone(file), 33, chunk("eXIf", exif)...) // after the header
}

// chunk is one of a PNG.
func chunk(name string, content []byte) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), name...)
	b = append(b, content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// TestOrientation: where the upright picture's first two corners are in the stored one, as the
// EXIF standard's table says, in either byte order; and a cut and resized picture is turned likewise.
func TestOrientation(t *testing.T) {
	const w, h = 13, 8
	img := gradient(w, h)
	corner := map[int][2]image.Point{ // of the upright picture, top left and top right
		1: {{0, 0}, {w - 1, 0}}, 2: {{w - 1, 0}, {0, 0}}, 3: {{w - 1, h - 1}, {0, h - 1}}, 4: {{0, h - 1}, {w - 1, h - 1}},
		5: {{0, 0}, {0, h - 1}}, 6: {{0, h - 1}, {0, 0}}, 7: {{w - 1, h - 1}, {w - 1, 0}}, 8: {{w - 1, 0}, {w - 1, h - 1}},
	}
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			p := read(t, withEXIF(pngOf(img), order, uint16(o)))
			pw, ph := p.Size()
			if p.Turned != (o > 1) || (pw == h) != (o >= 5) {
				t.Fatalf("orientation %d: turned %v, %d×%d", o, p.Turned, pw, ph)
			}
			got := p.Draw(pw, ph, White)
			for i, at := range []image.Point{{0, 0}, {pw - 1, 0}} {
				from := corner[o][i]
				if want := img.NRGBAAt(from.X, from.Y); !near(got.RGBAAt(at.X, at.Y), color.RGBA(want), 0) {
					t.Errorf("orientation %d: corner %d is %v, want that of %v, %v", o, i, got.RGBAAt(at.X, at.Y), from, want)
				}
			}
			// The same picture stored upright, cut to 8×8 of 13×8 and halved: the kernel is summed in another order, one level.
			upright := read(t, pngOf(got)).Draw(4, 4, White)
			small := p.Draw(4, 4, White)
			for i := range 16 {
				if a, b := small.RGBAAt(i%4, i/4), upright.RGBAAt(i%4, i/4); !near(a, b, 1) {
					t.Errorf("orientation %d, resized: pixel %d is %v, want %v", o, i, a, b)
				}
			}
		}
	}
	if p := read(t, withEXIF(jpegOf(img), binary.BigEndian, 6)); !p.Turned {
		t.Error("a JPEG's EXIF is not read")
	}
	if w, h := read(t, testdata(t, "lossless.webp")).Size(); w != 8 || h != 16 {
		t.Errorf("a WebP of orientation 6 is %d×%d, want 8×16", w, h)
	}
	for _, damaged := range []uint16{0, 9, 65535} {
		if read(t, withEXIF(pngOf(img), binary.BigEndian, damaged)).Turned {
			t.Errorf("orientation %d turns", damaged)
		}
	}
}

// transparentOnes are pictures whose pixel (0,0) is (200,100,50) and opaque, and (1,0) is (40,80,120) and seen to one third.
func transparentOnes() map[string]image.Image {
	bounds := image.Rect(0, 0, 2, 1)
	a, b := color.NRGBA{200, 100, 50, 255}, color.NRGBA{40, 80, 120, 85}
	eight, sixteen := image.NewNRGBA(bounds), image.NewNRGBA64(bounds)
	palette := image.NewPaletted(bounds, color.Palette{a, b})
	palette.Pix[1] = 1
	for x, c := range []color.NRGBA{a, b} {
		eight.SetNRGBA(x, 0, c)
		sixteen.SetNRGBA64(x, 0, color.NRGBA64{wide(c.R), wide(c.G), wide(c.B), wide(c.A)})
	}
	return map[string]image.Image{"8 bits": eight, "16 bits": sixteen, "palette": palette}
}

func TestGrounds(t *testing.T) {
	for name, img := range transparentOnes() {
		p := read(t, pngOf(img))
		if !p.Transparent {
			t.Errorf("%s: not transparent", name)
		}
		// One third of the colour and two thirds of the ground; Pillow rounds otherwise by one level.
		for ground, want := range map[Ground]color.RGBA{White: {183, 197, 210, 255}, Black: {13, 27, 40, 255}, Stored: {40, 80, 120, 255}} {
			got := p.Draw(2, 1, ground)
			if !near(got.RGBAAt(0, 0), color.RGBA{200, 100, 50, 255}, 0) || !near(got.RGBAAt(1, 0), want, 1) {
				t.Errorf("%s on %s: %v and %v, want %v", name, ground, got.RGBAAt(0, 0), got.RGBAAt(1, 0), want)
			}
		}
	}
	alpha := read(t, testdata(t, "alpha.webp")).Draw(8, 8, White)
	if c := alpha.RGBAAt(7, 4); c != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("WebP: %v where nothing is seen, want white", c)
	}
	if c := read(t, testdata(t, "alpha.webp")).Draw(16, 8, Stored).RGBAAt(13, 4); !near(c, color.RGBA{40, 60, 220, 255}, 3) {
		t.Errorf("WebP: stored colour %v", c)
	}
}

func TestTwelveBitsAreSeen(t *testing.T) {
	grey := image.NewGray16(image.Rect(0, 0, 2, 1))
	rgb := image.NewNRGBA64(image.Rect(0, 0, 2, 1))
	rgb.SetNRGBA64(0, 0, color.NRGBA64{1, 2, 4095, 65535})
	rgb.SetNRGBA64(1, 0, color.NRGBA64{1, 2, 4095, 40000})
	for _, c := range []struct {
		value uint16
		dim   bool
	}{{4095, true}, {4096, false}, {65535, false}} {
		grey.SetGray16(1, 0, color.Gray16{c.value})
		if p := read(t, pngOf(grey)); p.Dim != c.dim {
			t.Errorf("grey of %d: dim %v", c.value, p.Dim)
		}
	}
	if !read(t, pngOf(rgb)).Dim {
		t.Error("colours to 4095 are not seen as dim: is it the opacity?")
	}
	if read(t, pngOf(gradient(4, 4))).Dim {
		t.Error("an 8-bit picture is dim")
	}
}

func TestNotes(t *testing.T) {
	var tally Tally
	for i := range 4 {
		tally.Add(&Picture{Transparent: i > 0, Turned: i > 1, Dim: i > 2})
	}
	notes := tally.Notes("")
	for i, want := range []string{"3 of 4 pictures are transparent in places: they were laid on white", "2 of 4 pictures are stored lying", "1 of 4 pictures have 16-bit values of which none is above 4095"} {
		if len(notes) != 3 || !strings.HasPrefix(notes[i], want) {
			t.Errorf("notes %q, want %q", notes, want)
		}
	}
	if n := (&Tally{}).Notes(White); len(n) != 0 {
		t.Errorf("notes %q on nothing", n)
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

func TestRefusals(t *testing.T) {
	small, progressive := pngOf(gradient(8, 8)), testdata(t, "progressive.jpg")
	last, end := bytes.LastIndex(progressive, []byte{0xff, 0xda}), len(progressive)-2
	scans := slices.Concat(progressive[:end], bytes.Repeat(progressive[last:end], 200), progressive[end:])
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":           {nil, "empty"},
		"text":            {[]byte("hello"), "is no picture that can be read: want PNG"},
		"AVIF":            {[]byte("\x00\x00\x00\x20ftypavif"), "is an AVIF picture"},
		"HEIC":            {[]byte("\x00\x00\x00\x18ftypheic"), "is an HEIC picture"},
		"JPEG XL":         {[]byte("\xff\x0a\x01"), "JPEG XL"},
		"SVG":             {[]byte("\n <svg xmlns="), "SVG"},
		"a server's page": {[]byte("<!DOCTYPE html><p>404"), "a web page, as servers send in place of a picture: get it again"},
		"NumPy":           {[]byte("\x93NUMPY\x01\x00"), "NumPy"},
		"animated WebP":   {testdata(t, "animated.webp"), "animated WebP"},
		"fax":             {testdata(t, "fax.tif"), "fax"},
		"cut PNG":         {small[:50], "cut"},
		"cut JPEG":        {jpegOf(gradient(64, 64))[:800], "cut"},
		"cut WebP":        {testdata(t, "lossy.webp")[:60], "cut"},
		"huge":            {claim(small, 1<<20, 1<<20), "1048576×1048576"},
		"huge enough":     {claim(small, 1<<31-1, 1<<31-1), "overflow"},
		"many scans":      {scans, "scans"},
	} {
		_, err := Read(bytes.NewReader(c.file), int64(len(c.file)))
		if !errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
}

// TestJPEGsOfCamerasAreTaken: what decoding takes is known from the header, here of blank JPEGs whose header is changed.
func TestJPEGsOfCamerasAreTaken(t *testing.T) {
	for _, c := range []struct {
		file  string
		w, h  uint16
		taken bool
	}{
		{"baseline", 11648, 8736, true}, {"baseline", 65535, 65535, false},
		{"progressive", 8160, 3000, true}, {"progressive", 11648, 8736, false},
	} {
		file := jpegOf(gradient(16, 8))
		marker := []byte{0xff, 0xc0}
		if c.file == "progressive" {
			file, marker = testdata(t, "progressive.jpg"), []byte{0xff, 0xc2}
		}
		at := bytes.Index(file, marker) + 5
		binary.BigEndian.PutUint16(file[at:], c.h)
		binary.BigEndian.PutUint16(file[at+2:], c.w)
		_, _, err := inspect(bytes.NewReader(file), int64(len(file)), maxDecode)
		if (err == nil) != c.taken || err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%d×%d", c.w, c.h)) {
			t.Errorf("%s of %d×%d: %v, want taken %v", c.file, c.w, c.h, err, c.taken)
		}
	}
}

// TestReadWithin: a picture that takes as much memory as there is may be decoded, one that takes a byte more may not.
func TestReadWithin(t *testing.T) {
	file := jpegOf(gradient(64, 32))
	h, _, err := inspect(bytes.NewReader(file), int64(len(file)), maxDecode)
	if err != nil {
		t.Fatal(err)
	}
	need := int64(h.need())
	if _, err := ReadWithin(bytes.NewReader(file), int64(len(file)), need); err != nil {
		t.Error(err)
	}
	if _, err := ReadWithin(bytes.NewReader(file), int64(len(file)), need-1); !errors.Is(err, fault.ErrBad) || !strings.Contains(err.Error(), "64×32") {
		t.Errorf("got %v", err)
	}
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]bool{"a.PNG": true, "b.jpeg": true, "c.webp": true, "d.heic": true, "e.txt": false, "png": false} {
		if Named(name) != want {
			t.Errorf("%s is named as a picture: %v", name, !want)
		}
	}
}
