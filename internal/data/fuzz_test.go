package data

import (
	"archive/tar"
	"image/color"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"jem/internal/philox"
)

// reader is one way that bytes from outside come in: good is accepted, and try must take
// anything, returning the set it accepted or an error.
type reader struct {
	name string
	good []byte
	try  func(dir string, file []byte) (*Set, error)
}

// readers lists them all.
func readers() []reader {
	ten := digits()
	small := variable("y", 9, []int32{1, 1}, matUint8, []byte{10})
	viaFile := func(name string, f func(path string, s *Set) error) func(string, []byte) (*Set, error) {
		return func(dir string, file []byte) (*Set, error) {
			path, s := filepath.Join(dir, name), &Set{Classes: ten}
			if err := os.WriteFile(path, file, 0o600); err != nil {
				return nil, err
			}
			return s, f(path, s)
		}
	}
	inMemory := func(f func(s *Set, file []byte) error) func(string, []byte) (*Set, error) {
		return func(_ string, file []byte) (*Set, error) {
			s := &Set{Classes: ten}
			return s, f(s, file)
		}
	}
	idxPair := func(s *Set, file []byte) error {
		labels := idx(idxLabels, []uint32{2}, []byte{3, 9})
		return decodeIDX(s, content{"images", file}, content{"labels", labels})
	}
	house := inMemory(func(s *Set, file []byte) error {
		s.C, s.H, s.W = 3, 32, 32
		return decodeSVHN(s, file, 1<<20)
	})
	picture8 := inMemory(func(s *Set, file []byte) error {
		s.C, s.Labels = 3, nil
		err := s.addPicture(file, false)
		s.Labels = append(s.Labels, 0)
		return err
	})
	images := idx(idxImages, []uint32{2, 6, 4}, body(48))
	return []reader{
		{"cifar", append(record(1, 2), record(3, 4)...), inMemory(func(s *Set, file []byte) error { return decodeCIFAR(s, file, 1) })},
		{"idx", images, inMemory(idxPair)},
		{"gzip", gzipped(images), viaFile("f.gz", func(path string, s *Set) error {
			b, err := readContent(path, 1<<20)
			if err != nil {
				return err
			}
			return idxPair(s, b)
		})},
		{"mat", matFile(houses(1), small), house},
		{"compressed mat", matFile(compressed(houses(1)), compressed(small)), house},
		{"png", pngOf(picture(8, 16, color.NRGBA{1, 2, 3, 200})), picture8},
		{"jpeg", jpegOf(picture(8, 16, color.Gray{99})), picture8},
		{"tar", archiveOf(entry{tar.Header{Name: "tiny/a", Typeflag: tar.TypeReg}, "x"}), viaFile("f.tar.gz", func(path string, s *Set) error {
			return Listing{Folder: "tiny"}.unpack(path, filepath.Dir(path))
		})},
	}
}

// accept fails if a reader accepts what isn't a set.
func accept(t *testing.T, r reader, dir string, file []byte) error {
	t.Helper()
	s, err := r.try(dir, file)
	if err != nil || r.name == "tar" {
		return err
	}
	if err := s.check(); err != nil {
		t.Errorf("%s: accepted with %v", r.name, err)
	}
	for i, y := range s.Labels {
		if y < 0 || int(y) >= s.K() {
			t.Errorf("%s: accepted with label %d of record %d", r.name, y, i)
		}
	}
	return nil
}

// mutate changes a copy of a file in one to four places: bits, extreme bytes, cuts, repeats.
func mutate(good []byte, key philox.Key) []byte {
	b := append([]byte(nil), good...)
	for i := range 1 + key.IntN(0, 4) {
		draw := func(j, n int) int { return key.IntN(uint64(1+8*i+j), n) }
		if len(b) == 0 {
			return b
		}
		// Half of the changes are in the first 200 bytes, where headers are.
		at := draw(0, len(b))
		if draw(1, 2) == 0 {
			at = draw(0, min(len(b), 200))
		}
		switch draw(2, 6) {
		case 0, 1:
			b[at] ^= 1 << draw(3, 8)
		case 2:
			b[at] = []byte{0, 1, 0x7f, 0x80, 0xff}[draw(3, 5)]
		case 3:
			for j := at; j < min(at+4, len(b)); j++ {
				b[j] = 0xff
			}
		case 4:
			b = b[:at]
		case 5:
			end := min(len(b), at+draw(3, 64))
			b = append(b[:end:end], b[at:]...)
		}
	}
	return b
}

func TestReadersAcceptTheirSeeds(t *testing.T) {
	for _, r := range readers() {
		if err := accept(t, r, t.TempDir(), r.good); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
	}
}

func TestReadersSurviveMutations(t *testing.T) {
	n := 3000
	if testing.Short() {
		n = 300
	}
	for _, r := range readers() {
		t.Run(r.name, func(t *testing.T) {
			dir, refusals := t.TempDir(), 0
			var before, after runtime.MemStats
			for i := range n {
				file := mutate(r.good, philox.New(1, 0, philox.Test).At(i, 0))
				start := time.Now()
				runtime.ReadMemStats(&before)
				if accept(t, r, dir, file) != nil {
					refusals++
				}
				runtime.ReadMemStats(&after)
				// The largest picture that is let in, 16 M pixels of 4 bytes, once decoded and once
				// as a set's image would be refused for its side; everything else is far below.
				if used := after.TotalAlloc - before.TotalAlloc; used > 160<<20 {
					t.Errorf("mutation %d: %d MiB allocated for a file of %d bytes", i, used>>20, len(file))
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("mutation %d took %v", i, took)
				}
			}
			if refusals < n/10 {
				t.Errorf("%d of %d mutations were refused: the mutations don't bite", refusals, n)
			}
		})
	}
}

// fuzz runs one reader; each format has its own target, as go test wants it.
func fuzz(f *testing.F, name string) {
	for _, r := range readers() {
		if r.name != name {
			continue
		}
		f.Add(r.good)
		for i := range 20 {
			f.Add(mutate(r.good, philox.New(2, 0, philox.Test).At(i, 0)))
		}
		f.Fuzz(func(t *testing.T, file []byte) { _ = accept(t, r, t.TempDir(), file) })
		return
	}
	f.Fatalf("no reader %q", name)
}

func FuzzCIFAR(f *testing.F)         { fuzz(f, "cifar") }
func FuzzIDX(f *testing.F)           { fuzz(f, "idx") }
func FuzzGzip(f *testing.F)          { fuzz(f, "gzip") }
func FuzzMAT(f *testing.F)           { fuzz(f, "mat") }
func FuzzCompressedMAT(f *testing.F) { fuzz(f, "compressed mat") }
func FuzzPNG(f *testing.F)           { fuzz(f, "png") }
func FuzzJPEG(f *testing.F)          { fuzz(f, "jpeg") }
func FuzzTar(f *testing.F)           { fuzz(f, "tar") }
