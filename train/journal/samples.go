package journal

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"jem/internal/picture"
	"jem/internal/rundir"
	"jem/train"
)

// columns is how many samples of a class a grid shows.
const columns = 10

// Sampled implements train.Observer: a grid with one class a row as a file and as an event;
// at step 0, before training, the initial draws. Later grids also stand beside those in
// the file Comparison names, so that one sees what sampling adds.
func (j *Journal) Sampled(step int, s *train.Samples) error {
	grid, err := Grid(s, j.classes)
	if err != nil {
		return err
	}
	if err := picture.WritePNG(j.Path.Sample(step), grid); err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	encoded, err := picture.PNG(grid)
	if err != nil {
		return err
	}
	if err := j.events.Image("samples", step, encoded); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	return j.compare(step, grid)
}

// Comparison is the picture of a run's initial draws, left, and its latest samples, right.
func Comparison(p rundir.Path) string { return filepath.Join(p.Samples(), "first-and-latest.png") }

// compare writes the comparison, where there are initial draws.
func (j *Journal) compare(step int, latest image.Image) error {
	const gap = 32
	if step == 0 {
		return nil
	}
	file, err := os.ReadFile(j.Path.Sample(0))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	first, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("samples: %s: %w", j.Path.Sample(0), err)
	}
	if err := picture.WritePNG(Comparison(j.Path), picture.Beside(gap, first, latest)); err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	return nil
}

// Grid draws the first ten samples of each class in a row. Where a class has fewer the row
// ends in black.
func Grid(s *train.Samples, classes []string) (*image.NRGBA, error) {
	pixels := s.Channels * s.Size * s.Size
	pix := make([]float32, len(classes)*columns*pixels)
	for i := range pix {
		pix[i] = -1
	}
	filled := make([]int, len(classes))
	for i, y := range s.Class {
		if filled[y] == columns {
			continue
		}
		at := (y*columns + filled[y]) * pixels
		copy(pix[at:at+pixels], s.Images[i*pixels:(i+1)*pixels])
		filled[y]++
	}
	b := picture.Batch{N: len(classes) * columns, C: s.Channels, H: s.Size, W: s.Size, Pix: pix}
	return picture.Grid{Columns: columns, Labels: classes}.Draw(b)
}

// Sheet draws every sample, each class beginning a row with its name. Where a class does
// not fill its last row the row ends in black.
func Sheet(s *train.Samples, classes []string) (*image.NRGBA, error) {
	pixels := s.Channels * s.Size * s.Size
	b := picture.Batch{C: s.Channels, H: s.Size, W: s.Size}
	blank := slices.Repeat([]float32{-1}, pixels)
	var labels []string
	for i, y := range s.Class {
		if i == 0 || y != s.Class[i-1] {
			for ; b.N%columns != 0; b.N++ {
				b.Pix = append(b.Pix, blank...)
			}
		}
		if b.N%columns == 0 {
			labels = append(labels, "")
			if i == 0 || y != s.Class[i-1] {
				labels[len(labels)-1] = classes[y]
			}
		}
		b.Pix = append(b.Pix, s.Images[i*pixels:(i+1)*pixels]...)
		b.N++
	}
	return picture.Grid{Columns: columns, Labels: labels}.Draw(b)
}

// Plain draws every sample in order, ten a row, without labels.
func Plain(s *train.Samples) (*image.NRGBA, error) {
	b := picture.Batch{N: len(s.Class), C: s.Channels, H: s.Size, W: s.Size, Pix: s.Images}
	return picture.Grid{Columns: min(columns, b.N)}.Draw(b)
}
