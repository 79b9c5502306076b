package journal

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"path/filepath"

	"jem/internal/durable"
	"jem/internal/fault"
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
	encoded, err := picture.PNG(grid)
	if err != nil {
		return err
	}
	if err := j.unless(durable.WriteFile(j.Path.Sample(step), encoded)); err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	if err := j.events.Image("samples", step, encoded); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if err := j.compare(step, grid); err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	return j.refresh()
}

// Comparison is the picture of a run's initial draws, left, and its latest samples, right.
func Comparison(p rundir.Path) string { return filepath.Join(p.Samples(), "first-and-latest.png") }

// compare writes the comparison, where there are initial draws that can be read.
func (j *Journal) compare(step int, latest image.Image) error {
	const gap = 32
	if step == 0 {
		return nil
	}
	first, err := j.initial(latest.Bounds())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		j.tell("no comparison with the initial draws: " + err.Error())
		return nil
	}
	return j.unless(picture.WritePNG(Comparison(j.Path), picture.Beside(gap, first, latest)))
}

// initial reads the initial draws. They are a grid like later ones; anything much larger is not.
func (j *Journal) initial(like image.Rectangle) (image.Image, error) {
	path := j.Path.Sample(0)
	file, err := readPicture(path)
	if err != nil {
		return nil, err
	}
	head, err := png.DecodeConfig(bytes.NewReader(file))
	if err == nil && (head.Width > 2*like.Dx() || head.Height > 2*like.Dy()) {
		err = fmt.Errorf("%d×%d pixels are none of this run's", head.Width, head.Height)
	}
	var img image.Image
	if err == nil {
		img, err = png.Decode(bytes.NewReader(file))
	}
	return img, fault.At(path, err)
}
