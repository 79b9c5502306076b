package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"jem/internal/grid"
)

// gridFormats are what a table of runs is written as.
var gridFormats = []string{"table", "json", "csv", "markdown"}

// gridFormatFlag names one of them; usual says which it is by default.
func gridFormatFlag(usual string) cli.Flag {
	return &cli.StringFlag{Name: gridFormatName, Usage: "of the table: " + strings.Join(gridFormats, ", ") + "; default: " + usual}
}

const gridFormatName = "format"

// gridFormat is the one that a command line asks for.
func gridFormat(c *cli.Context, out string) (string, error) {
	format := c.String(gridFormatName)
	ends := map[string]string{".json": "json", ".csv": "csv", ".md": "markdown", "": "table", ".txt": "table"}
	end, known := ends[strings.ToLower(filepath.Ext(out))]
	switch {
	case format == "" && c.Bool("json"):
		return "json", nil
	case format == "" && !known:
		return "", usagef(c, "--out %s: a table is written as .csv, .md, .json or .txt; --format names another", out)
	case format == "":
		return end, nil
	case !slices.Contains(gridFormats, format):
		return "", usagef(c, "--format %q: want %s", format, strings.Join(gridFormats, ", "))
	}
	return format, nil
}

// writeGrid prints a table in a format, or writes it into a file; v is what it says for JSON.
func writeGrid(c *cli.Context, format, out string, g grid.Grid, v any) error {
	text, err := gridText(format, g, v)
	if err != nil {
		return err
	}
	if out != "" {
		if err := writeInto(out, text); err != nil {
			return err
		}
		printPlace(c, out)
		return nil
	}
	_, err = c.App.Writer.Write(text)
	return err
}

func gridText(format string, g grid.Grid, v any) ([]byte, error) {
	switch format {
	case "json":
		return marshal(v)
	case "csv":
		return g.CSV()
	case "markdown":
		return g.Markdown(), nil
	}
	return table(g.Lines()...)
}
