package main

import (
	"path/filepath"

	"github.com/urfave/cli/v2"

	"jem/internal/chart"
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

// draw draws a diagram into the folder that --pictures names, if it does.
func draw(c *cli.Context, name string, diagram chart.Chart) error {
	return writeCharts(c.String("pictures"), map[string]chart.Chart{name: diagram})
}
