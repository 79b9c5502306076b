// Command pictures draws a small data set of three classes into a folder, the same one
// each time: discs, stripes and corners, of several sizes, most as PNG and some as JPEG,
// with test images in the sub-folder test. scripts/compare-binaries.sh trains on it.
//
//	go run ./scripts/pictures FOLDER
package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const (
	training = 24 // pictures a class
	test     = 8
)

// classes say for a point in [0,1]² whether the figure covers it; a and b are where it is.
var classes = []struct {
	name   string
	covers func(x, y, a, b float64) bool
}{
	{"corner", func(x, y, a, b float64) bool { return x < 0.2+a/2 && y < 0.2+b/2 }},
	{"disc", func(x, y, a, b float64) bool {
		dx, dy := x-0.3-0.4*a, y-0.3-0.4*b
		return dx*dx+dy*dy < 0.06
	}},
	{"stripes", func(x, y, a, b float64) bool { return int(6*(x+a)+4*(y+b))%2 == 0 }},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pictures FOLDER")
		os.Exit(2)
	}
	if err := all(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func all(folder string) error {
	for _, part := range []struct {
		name  string
		count int
	}{{"train", training}, {"test", test}} {
		for c := range classes {
			dir := filepath.Join(folder, part.name, classes[c].name)
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			for i := range part.count {
				if err := write(dir, i, draw(c, rand.New(rand.NewPCG(uint64(c), uint64(1000*part.count+i))))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// draw makes one picture of a class.
func draw(class int, r *rand.Rand) image.Image {
	shade := func(from int) color.NRGBA {
		return color.NRGBA{uint8(from + r.IntN(100)), uint8(from + r.IntN(100)), uint8(from + r.IntN(100)), 255}
	}
	w, h := 24+r.IntN(24), 24+r.IntN(24)
	a, b, paper, ink := r.Float64(), r.Float64(), shade(20), shade(150)
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := paper
			if classes[class].covers(float64(x)/float64(w), float64(y)/float64(h), a, b) {
				c = ink
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

// write saves a picture as PNG, every eighth as JPEG.
func write(dir string, i int, m image.Image) error {
	var b bytes.Buffer
	name, err := fmt.Sprintf("%02d.png", i), error(nil)
	if i%8 == 7 {
		name = fmt.Sprintf("%02d.jpg", i)
		err = jpeg.Encode(&b, m, nil)
	} else {
		err = png.Encode(&b, m)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644)
}
