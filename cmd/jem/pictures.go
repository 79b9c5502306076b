package main

import (
	"image"
	"path/filepath"

	"jem/internal/chart"
	"jem/internal/picture"
)

// writeCharts writes a result's charts into a folder, if there is one, as PNG.
func writeCharts(folder string, charts map[string]chart.Chart) error {
	if folder == "" {
		return nil
	}
	for name, c := range charts {
		png, err := c.PNG()
		if err != nil {
			return err
		}
		if err := writeInto(filepath.Join(folder, name), png); err != nil {
			return err
		}
	}
	return nil
}

// writePictures writes the pictures that a result draws into a folder, if there is one, as PNG.
func writePictures(folder string, draw func() (map[string]image.Image, error)) error {
	if folder == "" {
		return nil
	}
	all, err := draw()
	if err != nil {
		return err
	}
	for name, img := range all {
		png, err := picture.PNG(img)
		if err != nil {
			return err
		}
		if err := writeInto(filepath.Join(folder, name), png); err != nil {
			return err
		}
	}
	return nil
}
