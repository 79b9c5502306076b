package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jem/internal/fault"
)

// write puts a file into a temporary folder's sub-folder.
func write(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// record is a CIFAR record whose pixel j is first+j.
func record(first byte, labels ...byte) []byte {
	r := labels
	for j := range cifarPixels {
		r = append(r, first+byte(j))
	}
	return r
}

// idx is an IDX file of bytes.
func idx(magic uint32, dims []uint32, elements []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, magic)
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, elements...)
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// refused fails unless err is bad data, and its sentence has all the parts.
func refused(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, fault.ErrBad) {
		t.Fatalf("error %v, want bad data", err)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q doesn't say %q", err, p)
		}
	}
}

func TestCIFARRecordsBecomeImages(t *testing.T) {
	for name, c := range map[string]struct {
		listing Listing
		first   []byte
		second  []byte
		want    []int32
	}{
		"cifar10":                   {cifar10(), record(5, 3), record(9, 7), []int32{3, 7}},
		"cifar100 takes fine label": {cifar100(), record(5, 1, 99), record(9, 2, 0), []int32{99, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, c.listing.Folder+"/test.bin", append(c.first, c.second...))
			write(t, dir, c.listing.Folder+"/test_batch.bin", append(c.first, c.second...))
			s, notes, err := Open(c.listing.Name, Test, OpenOptions{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if s.Len() != 2 || s.Labels[0] != c.want[0] || s.Labels[1] != c.want[1] || s.Image(1)[3] != 12 {
				t.Errorf("labels %v, pixel %d; want %v and 12", s.Labels, s.Image(1)[3], c.want)
			}
			if s.Verified() || len(notes) != 1 || !strings.Contains(notes[0], "not the published file") {
				t.Errorf("verified %v, notes %q: want a note on the hash", s.Verified(), notes)
			}
		})
	}
}

func TestDamagedCIFARIsRefused(t *testing.T) {
	good := append(record(0, 1), record(0, 9)...)
	bad := append(record(0, 1), record(0, 10)...)
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"cut":           {good[:len(good)-1], "6145 bytes are not a whole number of records of 3073 bytes"},
		"oversized":     {append(good[:len(good):len(good)], 0), "6147 bytes"},
		"empty":         {nil, "0 bytes"},
		"label":         {bad, "record 1 has label 10"},
		"gzip cut":      {gzipped(good)[:40], "cut"},
		"gzip of noise": {[]byte{0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "gzip header"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "test_batch.bin", c.content)
			_, _, err := Open("cifar10", Test, OpenOptions{Dir: dir})
			refused(t, err, "test_batch.bin", c.says)
		})
	}
}

func TestGzipBombIsRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "t10k-images-idx3-ubyte", idx(idxImages, []uint32{1, 28, 28}, make([]byte, 784)))
	write(t, dir, "t10k-labels-idx1-ubyte.gz", gzipped(make([]byte, 8<<20))) // 8 MiB where 10,008 bytes belong
	_, _, err := Open("mnist", Test, OpenOptions{Dir: dir})
	refused(t, err, "t10k-labels-idx1-ubyte.gz", "more than 40032 bytes")
}

func TestMissingSetSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	_, _, err := Open("mnist", Train, OpenOptions{Dir: dir})
	if !errors.Is(err, fault.ErrMissing) || errors.Is(err, fault.ErrBad) {
		t.Fatalf("error %v, want missing", err)
	}
	for _, part := range []string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", filepath.Join(dir, "mnist"), "jem data fetch mnist"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q doesn't say %q", err, part)
		}
	}
}

func TestUnknownNamesAndSplitsAreRefused(t *testing.T) {
	if _, _, err := Open("cifar11", Test, OpenOptions{}); err == nil || !strings.Contains(err.Error(), "cifar10,") {
		t.Errorf("error %v, want the known names", err)
	}
	if _, _, err := Open("mnist", Extra, OpenOptions{}); err == nil || !strings.Contains(err.Error(), "extra") {
		t.Errorf("error %v, want the split", err)
	}
}

func TestIDXImagesArePaddedToThe32Pixels(t *testing.T) {
	dir := t.TempDir()
	pixels := make([]byte, 2*784)
	pixels[784], pixels[784+27], pixels[2*784-1] = 7, 8, 9 // corners of image 1
	write(t, dir, "mnist/t10k-images-idx3-ubyte.gz", gzipped(idx(idxImages, []uint32{2, 28, 28}, pixels)))
	write(t, dir, "mnist/t10k-labels-idx1-ubyte", idx(idxLabels, []uint32{2}, []byte{4, 2}))
	s, _, err := Open("mnist", Test, OpenOptions{Dir: dir, Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	if s.C != 1 || s.H != 32 || s.W != 32 || s.Labels[1] != 2 {
		t.Fatalf("%d×%d×%d, label %d", s.C, s.H, s.W, s.Labels[1])
	}
	image, want := s.Image(1), map[int]uint8{2*32 + 2: 7, 2*32 + 29: 8, 29*32 + 29: 9}
	for i, v := range image {
		if v != want[i] {
			t.Errorf("pixel (%d,%d) is %d, want %d", i/32, i%32, v, want[i])
		}
	}
}

func TestDamagedIDXIsRefused(t *testing.T) {
	image, label := make([]byte, 784), []byte{4}
	images, labels := idx(idxImages, []uint32{1, 28, 28}, image), idx(idxLabels, []uint32{1}, label)
	for name, c := range map[string]struct {
		images, labels []byte
		says           []string
	}{
		"swapped":       {idx(idxLabels, []uint32{9}, make([]byte, 9)), images, []string{"images", "magic number is 0x00000801, want 0x00000803"}},
		"cut header":    {images[:15], labels, []string{"images", "15 bytes"}},
		"cut":           {images[:len(images)-1], labels, []string{"images", "783 bytes after the IDX header, which says 784"}},
		"oversized":     {images, append(labels[:len(labels):len(labels)], 0), []string{"labels", "2 bytes", "says 1"}},
		"huge claim":    {idx(idxImages, []uint32{1 << 31, 1024, 1024}, image), labels, []string{"says 2251799813685248"}},
		"huge side":     {idx(idxImages, []uint32{1, 1 << 20, 28}, image), labels, []string{"dimension 1048576"}},
		"no images":     {idx(idxImages, []uint32{0, 28, 28}, nil), labels, []string{"dimension 0"}},
		"counts differ": {images, idx(idxLabels, []uint32{2}, []byte{1, 2}), []string{"2 labels for 1 images"}},
		"label":         {images, idx(idxLabels, []uint32{1}, []byte{10}), []string{"record 0 has label 10"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "t10k-images-idx3-ubyte", c.images)
			write(t, dir, "t10k-labels-idx1-ubyte", c.labels)
			_, _, err := Open("fashion-mnist", Test, OpenOptions{Dir: dir})
			refused(t, err, c.says...)
		})
	}
}
