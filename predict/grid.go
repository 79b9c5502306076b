package predict

import (
	"image"
	"slices"

	"jem/backend/philox"
	"jem/internal/picture"
)

// columns is how many samples of a class a grid shows, rows of how many classes at most: more is
// no picture for people.
const columns, rows = 10, 100

// Grid draws ten samples of each class in a row, chosen at random by a key: neither the best nor
// the first. Where a class has fewer the row ends early; of more than a hundred classes a hundred are
// shown, chosen likewise, the same in every grid.
func (s *Samples) Grid(classes []string) (*image.NRGBA, error) {
	pixels := s.Channels * s.Size * s.Size
	shown := chooseClasses(len(classes))
	b := picture.Batch{N: len(shown) * columns, C: s.Channels, H: s.Size, W: s.Size}
	b.Pix, b.Blank = make([]float32, b.N*pixels), slices.Repeat([]bool{true}, b.N)
	labels, chosen := make([]string, len(shown)), choose(s.Class, len(classes))
	for at, y := range shown {
		labels[at] = classes[y]
		for column, i := range chosen[y] {
			place := at*columns + column
			copy(b.Pix[place*pixels:], s.Images[i*pixels:(i+1)*pixels])
			b.Blank[place] = false
		}
	}
	return picture.Grid{Columns: columns, Labels: labels}.Draw(b)
}

// chooseClasses are the classes that a grid shows, in their order.
func chooseClasses(classes int) []int {
	all := make([]int, classes)
	philox.New(0, 0, philox.ShownOrder).At(classes, 1).Perm(all)
	all = all[:min(classes, rows)]
	slices.Sort(all)
	return all
}

// choose names at most ten samples of each class. Slots of a buffer are laid out by the class of
// their start, so the first in which the model sees a class are those that began as another:
// all have the same chance instead.
func choose(class []int, classes int) [][]int {
	order := make([]int, len(class))
	philox.New(0, 0, philox.ShownOrder).At(len(class), 0).Perm(order)
	chosen := make([][]int, classes)
	for _, i := range order {
		if y := class[i]; len(chosen[y]) < columns {
			chosen[y] = append(chosen[y], i)
		}
	}
	return chosen
}

// Sheet draws every sample, each class beginning a row with its name. Where a class does
// not fill its last row the row ends early.
func (s *Samples) Sheet(classes []string) (*image.NRGBA, error) {
	pixels := s.Channels * s.Size * s.Size
	b := picture.Batch{C: s.Channels, H: s.Size, W: s.Size}
	add := func(image []float32, blank bool) {
		b.Pix, b.Blank = append(b.Pix, image...), append(b.Blank, blank)
		b.N++
	}
	nothing := make([]float32, pixels)
	var labels []string
	for i, y := range s.Class {
		if i == 0 || y != s.Class[i-1] {
			for b.N%columns != 0 {
				add(nothing, true)
			}
		}
		if b.N%columns == 0 {
			labels = append(labels, "")
			if i == 0 || y != s.Class[i-1] {
				labels[len(labels)-1] = classes[y]
			}
		}
		add(s.Images[i*pixels:(i+1)*pixels], false)
	}
	return picture.Grid{Columns: columns, Labels: labels}.Draw(b)
}

// Plain draws every sample in order, ten a row, without labels.
func (s *Samples) Plain() (*image.NRGBA, error) {
	b := picture.Batch{N: len(s.Class), C: s.Channels, H: s.Size, W: s.Size, Pix: s.Images}
	return picture.Grid{Columns: min(columns, b.N)}.Draw(b)
}
