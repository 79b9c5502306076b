package journal

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"jem/internal/picture"
	"jem/internal/rundir"
	"jem/predict"
)

// Sampled implements train.Observer: a grid with one class a row as a file and as an event;
// at step 0, before training, the initial draws. Later grids also stand beside those in
// the file Comparison names, so that one sees what sampling adds.
func (j *Journal) Sampled(step int, s *predict.Samples) error {
	grid, err := s.Grid(j.classes)
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
