package page

import (
	"fmt"
	"image"
	"image/color"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// letters are the fonts of a picture, at the size of its text.
type letters struct{ bold, plain font.Face }

func newLetters(pixels float64) (l letters, err error) {
	open := func(file []byte) (font.Face, error) {
		f, err := opentype.Parse(file)
		if err != nil {
			return nil, fmt.Errorf("font: %w", err)
		}
		return opentype.NewFace(f, &opentype.FaceOptions{Size: pixels, DPI: 72, Hinting: font.HintingFull})
	}
	if l.bold, err = open(liberationsansbold.TTF); err != nil {
		return letters{}, err
	}
	l.plain, err = open(liberationsansregular.TTF)
	return l, err
}

// write writes a line of text from a point on its base line, and returns where it ends.
func write(on *image.NRGBA, face font.Face, c color.Color, x, y int, text string) int {
	d := font.Drawer{Dst: on, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(text)
	return d.Dot.X.Ceil()
}

// writeBefore writes a line of text that ends at a point on its base line.
func writeBefore(on *image.NRGBA, face font.Face, c color.Color, x, y int, text string) {
	write(on, face, c, x-font.MeasureString(face, text).Ceil(), y, text)
}
