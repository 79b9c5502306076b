package data

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"testing"

	"jem/backend/philox"
	"jem/internal/imagefile"
	"jem/internal/mutation"
)

// reader is one way that bytes from outside come in: good is accepted, and try must take
// anything, returning the set it accepted or an error.
type reader struct {
	name string
	good []byte
	try  func(dir string, file []byte) (*Set, error)
	// encode writes an accepted set as a file again; nil where the content is not one set's
	encode func(*Set) []byte
}

// readers lists them all.
func readers() []reader {
	ten := digits()
	small := variable("y", 9, []int32{1, 1}, matUint8, []byte{10})
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
		p, err := imagefile.Read(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return err
		}
		return s.addPicture(p, 0, FolderOptions{Ground: imagefile.Stored})
	})
	images := idx(idxImages, []uint32{2, 6, 4}, body(48))
	return []reader{
		{"cifar", append(record(1, 2), record(3, 4)...), inMemory(func(s *Set, file []byte) error { return decodeCIFAR(s, file, 1) }), encodeCIFAR},
		{"python", pythonBatch(append(record(1, 2), record(3, 4)...), "labels"), inMemory(func(s *Set, file []byte) error {
			records, err := fromPython(file, 1)
			if err != nil {
				return err
			}
			return decodeCIFAR(s, records, 1)
		}), func(s *Set) []byte { return pythonBatch(encodeCIFAR(s), "labels") }},
		{"idx", images, inMemory(idxPair), encodeIDX},
		{"gzip", gzipped(images), inMemory(func(s *Set, file []byte) error {
			b, err := unpacked(bytes.NewReader(file), int64(len(file)), 1<<20)
			if err != nil {
				return err
			}
			return idxPair(s, b)
		}), func(s *Set) []byte { return gzipped(encodeIDX(s)) }},
		{"mat", matFile(houses(1), small), house, encodeMAT},
		{"compressed mat", matFile(compressed(houses(1)), compressed(small)), house, func(s *Set) []byte { return repacked(encodeMAT(s)) }},
		{"png", pngOf(picture(8, 16, color.NRGBA{1, 2, 3, 200})), picture8, encodePNG},
		{"jpeg", jpegOf(picture(8, 16, color.Gray{99})), picture8, encodePNG},
		{"tar", archiveOf(entry{tar.Header{Name: "tiny/a", Typeflag: tar.TypeReg}, "x"}), func(dir string, file []byte) (*Set, error) {
			return nil, Listing{Folder: "tiny"}.unpack(bytes.NewReader(file), dir)
		}, nil},
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
	again, err := r.try(dir, r.encode(s))
	if err != nil || !bytes.Equal(again.Pixels, s.Pixels) || !slices.Equal(again.Labels, s.Labels) || again.H != s.H {
		t.Errorf("%s: accepted, but written and read again it is another set (%v)", r.name, err)
	}
	return nil
}

// encodeCIFAR writes CIFAR-10's records.
func encodeCIFAR(s *Set) (file []byte) {
	for i, y := range s.Labels {
		file = append(append(file, byte(y)), s.Image(i)...)
	}
	return file
}

// encodeIDX writes an IDX file of the images without their border.
func encodeIDX(s *Set) []byte {
	h, w := s.H-2*idxPad, s.W-2*idxPad
	var pixels []byte
	for i := range s.Len() {
		for y := range h {
			pixels = append(pixels, s.Image(i)[(y+idxPad)*s.W+idxPad:][:w]...)
		}
	}
	return idx(idxImages, []uint32{uint32(s.Len()), uint32(h), uint32(w)}, pixels)
}

// encodeMAT writes SVHN's variables.
func encodeMAT(s *Set) []byte {
	planes, labels := bytes.Clone(s.Pixels), make([]byte, s.Len())
	transpose(planes, 32)
	for i, y := range s.Labels {
		labels[i] = byte((y+9)%10 + 1)
	}
	n := int32(s.Len())
	return matFile(variable("X", 9, []int32{32, 32, 3, n}, matUint8, planes), variable("y", 9, []int32{n, 1}, matUint8, labels))
}

// repacked compresses both variables of a file.
func repacked(file []byte) []byte {
	x, rest, _ := nextElement(file[matHeader:], binary.LittleEndian)
	y, _, _ := nextElement(rest, binary.LittleEndian)
	return matFile(compressed(element(x.kind, x.data)), compressed(element(y.kind, y.data)))
}

// encodePNG writes the set's picture.
func encodePNG(s *Set) []byte {
	img, n := image.NewNRGBA(image.Rect(0, 0, s.W, s.H)), s.H*s.W
	for i := range n {
		img.SetNRGBA(i%s.W, i/s.W, color.NRGBA{s.Pixels[i], s.Pixels[n+i], s.Pixels[2*n+i], 255})
	}
	return pngOf(img)
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
	n = mutation.Count(n)
	for _, r := range readers() {
		t.Run(r.name, func(t *testing.T) {
			dir := t.TempDir()
			got := mutation.Run(r.good, n, func(file []byte) bool { return accept(t, r, dir, file) == nil })
			for _, f := range got.Failures {
				t.Error(f)
			}
			if got.Refused < n/10 {
				t.Errorf("%d of %d mutations were refused: the mutations don't bite", got.Refused, n)
			}
			t.Logf("%d inputs, %d refused, slowest %v, largest %d KiB", n, got.Refused, got.Slowest, got.Largest>>10)
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
			f.Add(mutation.Keyed(r.good, philox.New(2, 0, philox.Test).At(i, 0)))
		}
		f.Fuzz(func(t *testing.T, file []byte) { _ = accept(t, r, t.TempDir(), file) })
		return
	}
	f.Fatalf("no reader %q", name)
}

func FuzzCIFAR(f *testing.F)         { fuzz(f, "cifar") }
func FuzzPython(f *testing.F)        { fuzz(f, "python") }
func FuzzIDX(f *testing.F)           { fuzz(f, "idx") }
func FuzzGzip(f *testing.F)          { fuzz(f, "gzip") }
func FuzzMAT(f *testing.F)           { fuzz(f, "mat") }
func FuzzCompressedMAT(f *testing.F) { fuzz(f, "compressed mat") }
func FuzzPNG(f *testing.F)           { fuzz(f, "png") }
func FuzzJPEG(f *testing.F)          { fuzz(f, "jpeg") }
func FuzzTar(f *testing.F)           { fuzz(f, "tar") }
