package chart

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"maps"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// dpi is the resolution of PNG files.
const dpi = 200

// PNG draws the diagram as a file, 1080 by 680 pixels, on white.
func (c Chart) PNG() ([]byte, error) { return asPNG(width, height, c.plain().draw) }

// SVG draws the diagram as a file, on white.
func (c Chart) SVG() ([]byte, error) { return asSVG(width, height, c.draw) }

// drawing draws on a canvas.
type drawing func(vg.CanvasSizer) error

func asPNG(w, h vg.Length, draw drawing) ([]byte, error) {
	img := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi))
	if err := draw(img); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: img}.WriteTo(&b)
	return b.Bytes(), err
}

func asSVG(w, h vg.Length, draw drawing) ([]byte, error) {
	s := vgsvg.New(w, h)
	s.SetColor(color.White)
	s.Fill(vg.Rectangle{Max: vg.Point{X: w, Y: h}}.Path())
	return svg(s, draw)
}

// Element draws the diagram as an SVG element for an HTML page that has Style. It is as wide as
// its container and has the page's background.
func (c Chart) Element() ([]byte, error) {
	b, err := svg(vgsvg.New(width, height), c.draw)
	if err != nil {
		return nil, err
	}
	_, drawing, _ := bytes.Cut(b, []byte("<g ")) // after the head of a file
	var page bytes.Buffer
	fmt.Fprintf(&page, `<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" role="img" aria-label="%s">`+"\n<g ", width.Points(), height.Points(), html.EscapeString(c.Title))
	_, err = variables().WriteString(&page, string(drawing))
	return page.Bytes(), err
}

// svg draws on a canvas. Liberation Sans, whose widths the library knows, isn't everywhere: the
// fonts named after it are as wide.
func svg(on *vgsvg.Canvas, draw drawing) ([]byte, error) {
	if err := draw(on); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err := on.WriteTo(&b)
	const style = "font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal"
	return bytes.ReplaceAll(b.Bytes(), []byte(style), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif")), err
}

// shades are all colours, each with the name of its CSS variable.
func shades() map[string]shade {
	all := map[string]shade{"--figure-ink": ink, "--figure-quiet": quiet, "--figure-faint": faint}
	for i, s := range curves {
		all[fmt.Sprintf("--figure-%d", i)] = s
	}
	return all
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B) }

// variables replaces colours, as the library writes them in styles, by those of the page.
func variables() *strings.Replacer {
	var pairs []string
	for name, s := range shades() {
		pairs = append(pairs, ":"+hex(s.light), ":var("+name+")")
	}
	return strings.NewReplacer(pairs...)
}

// Style is the CSS that a page with Elements needs once: their colours, light and dark.
func Style() string {
	var light, dark strings.Builder
	for _, name := range slices.Sorted(maps.Keys(shades())) {
		fmt.Fprintf(&light, "%s:%s;", name, hex(shades()[name].light))
		fmt.Fprintf(&dark, "%s:%s;", name, hex(shades()[name].dark))
	}
	return ".chart{" + light.String() + "}\n@media (prefers-color-scheme:dark){.chart{" + dark.String() + "}}\n"
}
