package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"testing"
)

// element encodes a MATLAB element, as a small one where it fits.
func element(kind uint32, content []byte) []byte {
	if n := len(content); n > 0 && n <= 4 {
		b := binary.LittleEndian.AppendUint32(nil, kind|uint32(n)<<16)
		return append(append(b, content...), make([]byte, 4-n)...)
	}
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
	b = append(b, content...)
	if kind == matCompressed {
		return b
	}
	return append(b, make([]byte, -len(content)&7)...)
}

// variable encodes an array; class 6 is double, 9 uint8.
func variable(name string, class byte, dims []int32, kind uint32, content []byte) []byte {
	var d []byte
	for _, n := range dims {
		d = binary.LittleEndian.AppendUint32(d, uint32(n))
	}
	parts := element(matUint32, []byte{class, 0, 0, 0, 0, 0, 0, 0})
	parts = append(parts, element(matInt32, d)...)
	parts = append(parts, element(matInt8, []byte(name))...)
	return element(matMatrix, append(parts, element(kind, content)...))
}

func compressed(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return element(matCompressed, out.Bytes())
}

// matFile joins a header and elements.
func matFile(elements ...[]byte) []byte {
	head := append(bytes.Repeat([]byte{' '}, 124), 0, 1, 'I', 'M')
	return append(head, bytes.Join(elements, nil)...)
}

// housePixels are n column-major images: the value at (row, column, channel, image) is
// 3·row + 5·column + 7·channel + 11·image.
func housePixels(n int) []byte {
	var b []byte
	for i := range n * 3 * 32 * 32 {
		row, column, channel, image := i%32, i/32%32, i/1024%3, i/3072
		b = append(b, byte(3*row+5*column+7*channel+11*image))
	}
	return b
}

func houses(n int) []byte {
	return variable("X", 9, []int32{32, 32, 3, int32(n)}, matUint8, housePixels(n))
}

func TestSVHNIsReadFromMATLABFiles(t *testing.T) {
	doubles := binary.LittleEndian.AppendUint64(nil, math.Float64bits(10))
	doubles = binary.LittleEndian.AppendUint64(doubles, math.Float64bits(3))
	y := variable("y", 9, []int32{2, 1}, matUint8, []byte{10, 3})
	for name, file := range map[string][]byte{
		"compressed":     matFile(compressed(houses(2)), compressed(y)),
		"plain":          matFile(houses(2), y),
		"labels first":   matFile(y, houses(2)),
		"double labels":  matFile(houses(2), variable("y", 6, []int32{2, 1}, matDouble, doubles)),
		"other variable": matFile(variable("note", 4, []int32{1, 1}, matUint16, []byte{65, 0}), houses(2), y),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "svhn/test_32x32.mat", file)
			s, _, err := Open("svhn", Test, OpenOptions{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if s.Len() != 2 || s.Labels[0] != 0 || s.Labels[1] != 3 {
				t.Fatalf("labels %v, want [0 3]", s.Labels)
			}
			for i, v := range s.Image(1) {
				channel, row, column := i/1024, i/32%32, i%32
				if want := byte(3*row + 5*column + 7*channel + 11); v != want {
					t.Fatalf("channel %d, row %d, column %d is %d, want %d", channel, row, column, v, want)
				}
			}
		})
	}
}

func TestDamagedSVHNIsRefused(t *testing.T) {
	y := func(v ...byte) []byte { return variable("y", 9, []int32{int32(len(v)), 1}, matUint8, v) }
	good := matFile(compressed(houses(1)), compressed(y(1)))
	imaginary := houses(1)
	imaginary[17] |= matComplex >> 8 // of the flags, little-endian, after two tags
	half := binary.LittleEndian.AppendUint64(nil, math.Float64bits(1.5))
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"no images":      {matFile(variable("X", 9, []int32{32, 32, 3, 0}, matUint8, nil), variable("y", 9, []int32{0, 1}, matUint8, nil)), "X holds no images"},
		"X twice":        {matFile(houses(1), houses(1), y(1)), "variable \"X\" is there twice"},
		"y twice":        {matFile(houses(1), y(1), compressed(y(2))), "variable \"y\" is there twice"},
		"labels 5×2":     {matFile(houses(10), variable("y", 9, []int32{5, 2}, matUint8, []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10})), "y is [5 2]"},
		"complex":        {matFile(imaginary, y(1)), "complex"},
		"short header":   {good[:100], "100 bytes"},
		"HDF5":           {append(bytes.Repeat([]byte{0}, 128), good...), "version 7.3"},
		"cut":            {good[:len(good)-20], "cut"},
		"cut stream":     {matFile(element(matCompressed, compressed(houses(1))[8:40])), "cut"},
		"no y":           {matFile(houses(1)), "no variables X and y"},
		"label 0":        {matFile(houses(1), y(0)), "record 0 has label 0"},
		"label 11":       {matFile(houses(2), y(1, 11)), "record 1 has label 11"},
		"half label":     {matFile(houses(1), variable("y", 6, []int32{1, 1}, matDouble, half)), "1.5"},
		"counts":         {matFile(houses(2), y(1)), "1 labels for 2 images"},
		"other shape":    {matFile(variable("X", 9, []int32{32, 96}, matUint8, housePixels(1)), y(1)), "[32 96]"},
		"lying shape":    {matFile(variable("X", 9, []int32{32, 32, 3, 9}, matUint8, housePixels(1)), y(1)), "3072 bytes"},
		"huge shape":     {matFile(variable("X", 9, []int32{math.MaxInt32, math.MaxInt32, 3, 9}, matUint8, housePixels(1)), y(1)), "too large"},
		"negative shape": {matFile(variable("X", 9, []int32{-1, 0, 3, 9}, matUint8, nil), y(1)), "too large"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "svhn/test_32x32.mat", c.file)
			_, _, err := Open("svhn", Test, OpenOptions{Dir: dir})
			refused(t, err, "test_32x32.mat", c.says)
		})
	}
}

func TestZlibBombIsRefused(t *testing.T) {
	_, err := readMAT(matFile(compressed(make([]byte, 1<<20))), 1<<16)
	refused(t, err, "more than 65536 bytes")
}
