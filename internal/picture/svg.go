package picture

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// svg is a document being written.
type svg struct{ bytes.Buffer }

func (b *svg) printf(format string, args ...any) { fmt.Fprintf(b, format, args...) }

func (b *svg) text(class string, x, y float64, s string) {
	if s != "" {
		b.printf(`<text class="%s" x="%.1f" y="%.1f">%s</text>`+"\n", class, x, y, html.EscapeString(s))
	}
}

func (b *svg) rule(x, y, dx, dy float64) {
	b.printf(`<path class="grid" d="M%.1f %.1fl%.1f %.1f"/>`, x, y, dx, dy)
}

func (b *svg) swatch(color int, x, y float64) {
	b.printf(`<rect class="f%d" x="%.1f" y="%.1f" width="9" height="3" rx="1"/>`, color, x, y)
}

func (b *svg) line(color int, dashed bool, points []trace) {
	class := "line"
	if dashed {
		class = "line dashed"
	}
	b.printf(`<path class="%s s%d" d="%s"/>`+"\n", class, color, linePath(points))
}

func (b *svg) area(color int, outline []trace) {
	b.printf(`<path class="band f%d" d="%sZ"/>`+"\n", color, linePath(outline))
}

func (b *svg) dot(color int, x, y float64) {
	b.printf(`<circle class="f%d" cx="%.1f" cy="%.1f" r="2.2"/>`+"\n", color, x, y)
}

func linePath(line []trace) string {
	var d strings.Builder
	for i, p := range line {
		fmt.Fprintf(&d, "%c%.1f %.1f", command(i), p.x, p.y)
	}
	return d.String()
}

// command is the letter of a path's i-th point.
func command(i int) rune {
	if i == 0 {
		return 'M'
	}
	return 'L'
}

func textWidth(s string) float64 { return charW * float64(utf8.RuneCountInString(s)) }
