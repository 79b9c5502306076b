// Package report writes what a run or an experiment came to as one HTML file: it needs
// no network, no script and no other file, and reads well on a phone, on paper, and in
// light and dark.
//
// The package does not know what the numbers mean: its Data are names and values,
// charts and pictures, in the order in which they shall be read.
package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"

	"jem/internal/chart"
	"jem/internal/durable"
)

// Data is the content of a page. What is empty is left out.
type Data struct {
	Title    string
	Subtitle string    // one line: what was run, when
	Summary  []Fact    // the numbers to be seen first, six at the most
	Notes    []Note    // warnings, rollbacks: what a reader must know before believing the numbers
	Charts   []Chart   // curves
	Pictures []Picture // sample grids
	Tables   []Table   // results against the paper's, for example
	Config   []Group
	Env      []Group
}

// Fact is a name and a value, with its unit in it.
type Fact struct {
	Name, Value string
	Note        string // small print: "best 91.2 % at step 40k"
}

// Note is something that happened.
type Note struct {
	Step int
	Kind string // warning, rollback, …
	Text string
}

// Chart is a diagram and what to say under it.
type Chart struct {
	chart.Chart
	Caption string
}

// Picture is a PNG file to be shown.
type Picture struct {
	Title, Caption string
	PNG            []byte
}

// Table is a table with a head. The first column names the rows; the others are set
// flush right.
type Table struct {
	Title, Caption string
	Head           []string
	Rows           [][]string
}

// Group is a part of the settings under a heading.
type Group struct {
	Name  string
	Facts []Fact
}

//go:embed report.html.tmpl
var page string

//go:embed report.css
var style string

// Write writes the page to a file, whole or not at all.
func Write(path string, d Data) error {
	b, err := Render(d)
	if err != nil {
		return fmt.Errorf("report %s: %w", path, err)
	}
	return durable.WriteFile(path, b)
}

// Render returns the page. It is a function of d.
func Render(d Data) ([]byte, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"style":   func() template.CSS { return template.CSS(Style()) },
		"svg":     svg,
		"dataURL": dataURL,
		"size":    size,
	}).Parse(page)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, d)
	return b.Bytes(), err
}

// svg is a chart's element, which escapes its texts itself.
func svg(c Chart) (template.HTML, error) {
	b, err := c.Element()
	return template.HTML(b), err
}

func dataURL(p Picture) template.URL {
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(p.PNG))
}

// size returns width and height as attributes, so that nothing jumps while loading.
func size(p Picture) (template.HTMLAttr, error) {
	config, err := png.DecodeConfig(bytes.NewReader(p.PNG))
	if err != nil {
		return "", fmt.Errorf("picture %q: %w", p.Title, err)
	}
	return template.HTMLAttr(fmt.Sprintf(`width="%d" height="%d"`, config.Width, config.Height)), nil
}

// Style is the look of the pages as CSS, for those that are made elsewhere.
func Style() string { return chart.Style() + style }
