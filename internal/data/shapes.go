package data

import (
	"math"

	"jem/backend/philox"
	"jem/internal/figure"
)

// Shapes is the name of the set that the program draws itself: no file is read, so that a first run
// needs none. It is the same everywhere, like a published one.
const Shapes = "shapes"

// The set's sizes. Image i is of class i mod K.
const (
	shapesSide  = 16
	shapesTrain = 1000
	shapesTest  = 300
)

func shapes() Listing {
	return Listing{
		Name: Shapes, Title: "1,000 + 300 grey images of 16×16 of five figures, drawn by the program: no files", C: 1, Side: shapesSide, Images: shapesTrain,
		Classes: []string{"disc", "ring", "cross", "bar", "dots"},
		Terms:   "none", Home: "jem", draw: drawShapes,
	}
}

// drawShapes draws a split: figures of any size, place and turn, light on a dark, noisy ground.
func drawShapes(s *Set) {
	n, part := shapesTrain, 0
	if s.Split == Test {
		n, part = shapesTest, 1
	}
	s.Sources = []Source{{Verified: true}}
	for i := range n {
		s.Labels = append(s.Labels, int32(i%s.K()))
		s.Pixels = append(s.Pixels, drawShape(i%s.K(), philox.New(0, 0, philox.Drawing).At(i, part))...)
	}
}

// drawShape is one image of a class, (16,16).
func drawShape(class int, key philox.Key) []uint8 {
	var u [6]float32
	key.FillUniform(u[:], -1, 1)
	r := 5 + float64(u[0])
	inside := []func(x, y float64) bool{
		figure.Disc(r), figure.Without(figure.Disc(r), figure.Disc(r-2.2)),
		figure.Either(figure.Box(r, 1.3), figure.Box(1.3, r)), figure.Box(1.25*r, 1.5),
		func(x, y float64) bool { return figure.Disc(0.45*r)(math.Abs(x)-0.8*r, y) },
	}[class]
	f := figure.Figure{Inside: inside, X: 7.5 + 1.5*float64(u[1]), Y: 7.5 + 1.5*float64(u[2]), Angle: 0.35 * float64(u[3])}
	ground, light := 50+30*float64(u[4]), 180+45*float64(u[5])
	var noise [shapesSide * shapesSide]float32
	key.At(int(key.Step), int(key.Sub)+2).FillUniform(noise[:], -1, 1)
	pixels := make([]uint8, shapesSide*shapesSide)
	for p := range pixels {
		share := f.Share(p%shapesSide, p/shapesSide)
		pixels[p] = uint8(ground + float64(share*(light-ground)) + 16*float64(noise[p]))
	}
	return pixels
}
