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

// series draws one series: bands first, lines over them, and dots where there are few
// points.
func (b *svg) series(color int, s Series, x, y axis) {
	lines := traces(s.Points, x, y)
	total := 0
	for _, line := range lines {
		total += len(line)
		if band := bandPath(line); band != "" {
			b.printf(`<path class="band f%d" d="%s"/>`+"\n", color, band)
		}
	}
	class := "line"
	if s.Dashed {
		class = "line dashed"
	}
	for _, line := range lines {
		if len(line) > 1 {
			if s.Filled {
				b.printf(`<path class="band f%d" d="%sZ"/>`+"\n", color, linePath(line))
			}
			b.printf(`<path class="%s s%d" d="%s"/>`+"\n", class, color, linePath(line))
		}
		if len(line) == 1 || total <= 30 {
			for _, p := range line {
				b.printf(`<circle class="f%d" cx="%.1f" cy="%.1f" r="2.2"/>`+"\n", color, p.x, p.y)
			}
		}
	}
}

func linePath(line []trace) string {
	var d strings.Builder
	for i, p := range line {
		fmt.Fprintf(&d, "%c%.1f %.1f", command(i), p.x, p.y)
	}
	return d.String()
}

// bandPath goes along the upper edge and back along the lower one; "" if there is
// nothing between them.
func bandPath(line []trace) string {
	var d strings.Builder
	thick := false
	for i, p := range line {
		thick = thick || p.hi > p.lo
		fmt.Fprintf(&d, "%c%.1f %.1f", command(i), p.x, p.lo)
	}
	if !thick {
		return ""
	}
	for i := len(line) - 1; i >= 0; i-- {
		fmt.Fprintf(&d, "L%.1f %.1f", line[i].x, line[i].hi)
	}
	return d.String() + "Z"
}

// command is the letter of a path's i-th point.
func command(i int) rune {
	if i == 0 {
		return 'M'
	}
	return 'L'
}

func textWidth(s string) float64 { return charW * float64(utf8.RuneCountInString(s)) }
