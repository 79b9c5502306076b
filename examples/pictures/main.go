// Command pictures draws pictures for the other examples: go run ./examples/pictures FOLDER N
package main

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

var shapes = map[string]func(x, y float64) bool{ // around the origin, of size 1
	"pictures/disc":     func(x, y float64) bool { return math.Hypot(x, y) < 1 },
	"pictures/square":   func(x, y float64) bool { return max(math.Abs(x), math.Abs(y)) < 0.85 },
	"pictures/triangle": func(x, y float64) bool { return y < 0.8 && math.Abs(x) < (y+1)*0.55 },
	"others":            func(x, y float64) bool { return math.Abs(y) < 1 && int(10+4*y)%2 == 0 }, // stripes belong to no class
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: pictures FOLDER N")
	}
	n, err := strconv.Atoi(os.Args[2])
	for folder, inside := range shapes {
		dir := filepath.Join(os.Args[1], folder)
		err = errors.Join(err, os.MkdirAll(dir, 0o755))
		for i := range n {
			file, failed := os.Create(filepath.Join(dir, fmt.Sprintf("%03d.png", i)))
			err = errors.Join(err, failed, png.Encode(file, draw(inside, rand.New(rand.NewPCG(uint64(i), uint64(len(folder)))))), file.Close())
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}

func draw(inside func(x, y float64) bool, r *rand.Rand) image.Image {
	cx, cy, size, light := 7+2*r.Float64(), 7+2*r.Float64(), 4+2*r.Float64(), 150+100*r.Float64()
	img := image.NewGray(image.Rect(0, 0, 16, 16))
	for p := range img.Pix {
		img.Pix[p] = uint8(20 + 10*r.Float64())
		if inside((float64(p%16)+0.5-cx)/size, (float64(p/16)+0.5-cy)/size) {
			img.Pix[p] = uint8(light)
		}
	}
	return img
}
