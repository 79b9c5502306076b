package experiments

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"

	"jem/backend/philox"
	"jem/internal/durable"
	"jem/internal/figure"
	"jem/internal/picture"
)

// The generated images: so many of each kind, 32×32 in colour.
const (
	toySide    = 32
	toyTrain   = 1000
	toyTest    = 500
	toyTexture = 300
)

// writeToy writes generated images in the layout of the published files, so that every
// step of an experiment can be tried without them. What exists stays.
func writeToy(dir string) error {
	files := []struct {
		name    string
		content func() []byte
	}{
		{"cifar-10-batches-bin/test_batch.bin", func() []byte { return toyCIFAR(toyTest, 10, 2, 1) }},
		{"cifar-100-binary/train.bin", func() []byte { return toyCIFAR(toyTrain, 100, 3, 2) }},
		{"cifar-100-binary/test.bin", func() []byte { return toyCIFAR(toyTest, 100, 4, 2) }},
		{"svhn/train_32x32.mat", func() []byte { return toySVHN(toyTrain, 5) }},
		{"svhn/test_32x32.mat", func() []byte { return toySVHN(toyTest, 6) }},
	}
	for i := range 5 {
		files = append(files, struct {
			name    string
			content func() []byte
		}{fmt.Sprintf("cifar-10-batches-bin/data_batch_%d.bin", i+1), func() []byte { return toyCIFAR(toyTrain/5, 10, 100+uint64(i), 1) }})
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := durable.WriteFile(path, f.content()); err != nil {
			return err
		}
	}
	return toyTextures(filepath.Join(dir, "textures"))
}

// toyCIFAR are records of CIFAR's binary form: label bytes, then three planes. Image i is of
// class i mod k.
func toyCIFAR(n, k int, seed uint64, labelBytes int) []byte {
	var b []byte
	for i := range n {
		y := i % k
		for range labelBytes {
			b = append(b, byte(y))
		}
		img := toyImage(y, k, philox.New(seed, 0, philox.Test).At(i, 0))
		for c := range 3 {
			for p := range toySide * toySide {
				b = append(b, img[p][c])
			}
		}
	}
	return b
}

// toySVHN is a MATLAB file of level 5 as SVHN's: X, uint8 (32,32,3,N) column by column, and
// y (N,1), where 10 stands for class 0.
func toySVHN(n int, seed uint64) []byte {
	var pixels, labels []byte
	for i := range n {
		y := i % 10
		labels = append(labels, byte(y))
		if y == 0 {
			labels[i] = 10
		}
		img := toyImage(9-y, 10, philox.New(seed, 0, philox.Test).At(i, 1))
		for c := range 3 {
			for p := range toySide * toySide {
				v := img[p%toySide*toySide+p/toySide][c] // column-major
				pixels = append(pixels, 255-v)           // and in other colours than toyCIFAR's
			}
		}
	}
	file := append(make([]byte, 124), 0, 1, 'I', 'M')
	file = append(file, matArray("X", []int{toySide, toySide, 3, n}, pixels)...)
	return append(file, matArray("y", []int{n, 1}, labels)...)
}

// matArray is a MATLAB element miMATRIX of uint8.
func matArray(name string, dims []int, content []byte) []byte {
	var d []byte
	for _, n := range dims {
		d = binary.LittleEndian.AppendUint32(d, uint32(n))
	}
	const int8Type, uint8Type, int32Type, uint32Type, matrix, uint8Class = 1, 2, 5, 6, 14, 9
	body := matElement(uint32Type, []byte{uint8Class, 0, 0, 0, 0, 0, 0, 0})
	body = append(body, matElement(int32Type, d)...)
	body = append(body, matElement(int8Type, []byte(name))...)
	return matElement(matrix, append(body, matElement(uint8Type, content)...))
}

// matElement is a tag of type and length, the content, and zeros to a multiple of 8.
func matElement(kind uint32, content []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)))
	b = append(b, content...)
	return append(b, make([]byte, -len(content)&7)...)
}

// toyImage draws class y of k: a bar whose direction is the class's, in a colour near the
// class's, somewhere on a noisy ground.
func toyImage(y, k int, key philox.Key) [toySide * toySide][3]byte {
	u := make([]float32, 8)
	key.FillUniform(u, -1, 1)
	angle := math.Pi*float64(y)/float64(k) + 0.1*float64(u[0])
	hue := 2 * math.Pi * (float64(y%7)/7 + 0.03*float64(u[1]))
	bar := figure.Figure{Inside: figure.Box(13, 4), X: 15.5 + 5*float64(u[2]), Y: 15.5 + 5*float64(u[3]), Angle: angle}
	var img [toySide * toySide][3]byte
	noise := make([]float32, toySide*toySide)
	key.At(0, 7).FillUniform(noise, -1, 1)
	for p := range img {
		inside := bar.Covers(float64(p%toySide), float64(p/toySide))
		for c := range 3 {
			v := 90 + 40*float64(u[4+c])
			if inside {
				v = 128 + 110*math.Cos(hue+2*math.Pi*float64(c)/3)
			}
			img[p][c] = byte(min(max(v+12*float64(noise[p]), 0), 255))
		}
	}
	return img
}

// toyTextures writes checkerboards as pictures, a set that none of the others resembles.
func toyTextures(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) >= toyTexture {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range toyTexture {
		key := philox.New(9, 0, philox.Test).At(i, 0)
		u := make([]float32, 8)
		key.FillUniform(u, 0, 1)
		img, size := image.NewNRGBA(image.Rect(0, 0, toySide, toySide)), 1+int(6*u[6])
		for p := range toySide * toySide {
			shade := u[:3]
			if (p%toySide/size+p/toySide/size)%2 == 0 {
				shade = u[3:6]
			}
			img.SetNRGBA(p%toySide, p/toySide, color.NRGBA{byte(255 * shade[0]), byte(255 * shade[1]), byte(255 * shade[2]), 255})
		}
		if err := picture.WritePNG(filepath.Join(dir, fmt.Sprintf("%04d.png", i)), img); err != nil {
			return err
		}
	}
	return nil
}
