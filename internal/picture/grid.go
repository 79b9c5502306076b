// Package picture draws grids of images as PNG, and what becomes of them step by step as GIF.
//
// Images come as the trainer has them, float32 NCHW in [-1,1]. The package knows neither
// devices nor what is in the pictures, and its output is a function of its input.
package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/inconsolata"
	"golang.org/x/image/math/fixed"

	"jem/internal/durable"
)

const (
	gutter  = 2  // pixels between images
	visible = 64 // automatic scale: an image's longer side has at least so many pixels
)

// Everything between the images is transparent, and labels are a grey that can be read
// on white as well as on black.
var labelColor = color.NRGBA{0x80, 0x80, 0x80, 0xff}

// notANumber is the colour of a pixel that is NaN, the trace of a diverged chain.
var notANumber = color.NRGBA{0xff, 0x00, 0xff, 0xff}

// Batch is N images of C×H×W, contiguous NCHW. C is 1 (grey) or 3 (RGB). Values are in
// [-1,1]; others are clamped, NaN is drawn in magenta.
type Batch struct {
	N, C, H, W int
	Pix        []float32 // N·C·H·W
	Blank      []bool    // by image: its place stays transparent; nil: none
}

// Grid says how a batch is laid out, row by row.
type Grid struct {
	Columns int      // images a row; 0: as square as possible
	Scale   int      // whole enlargement factor; 0: the least that shows 64 pixels
	Labels  []string // at the left of each row; nil: none
}

// Draw draws a batch.
func (g Grid) Draw(b Batch) (*image.NRGBA, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	if g.Columns <= 0 {
		g.Columns = int(math.Ceil(math.Sqrt(float64(b.N))))
	}
	if g.Scale <= 0 {
		longer := max(b.H, b.W)
		g.Scale = (visible + longer - 1) / longer
	}
	rows := (b.N + g.Columns - 1) / g.Columns
	cellW, cellH := b.W*g.Scale+gutter, b.H*g.Scale+gutter
	left := g.labelWidth()
	img := image.NewNRGBA(image.Rect(0, 0, left+g.Columns*cellW-gutter, rows*cellH-gutter))
	for n := range b.N {
		if b.Blank != nil && b.Blank[n] {
			continue
		}
		b.draw(img, n, image.Pt(left+n%g.Columns*cellW, n/g.Columns*cellH), g.Scale)
	}
	for row, label := range g.Labels {
		drawLabel(img, label, left-labelGap, row*cellH+b.H*g.Scale/2)
	}
	return img, nil
}

func (b Batch) check() error {
	if b.N < 1 || b.H < 1 || b.W < 1 || b.C != 1 && b.C != 3 {
		return fmt.Errorf("picture: %d images of %d×%d×%d, want some of 1 or 3 channels", b.N, b.C, b.H, b.W)
	}
	if b.Blank != nil && len(b.Blank) != b.N {
		return fmt.Errorf("picture: %d images and %d marks of blank ones", b.N, len(b.Blank))
	}
	if want := b.N * b.C * b.H * b.W; len(b.Pix) != want {
		return fmt.Errorf("picture: %d values for %d images of %d×%d×%d, want %d", len(b.Pix), b.N, b.C, b.H, b.W, want)
	}
	return nil
}

// draw paints image n with its corner at a point.
func (b Batch) draw(img *image.NRGBA, n int, at image.Point, scale int) {
	for h := range b.H * scale {
		for w := range b.W * scale {
			img.SetNRGBA(at.X+w, at.Y+h, b.color(n, h/scale, w/scale))
		}
	}
}

// color returns the colour of a pixel.
func (b Batch) color(n, h, w int) color.NRGBA {
	var rgb [3]uint8
	for i := range rgb {
		c := min(i, b.C-1)
		v := float64(b.Pix[((n*b.C+c)*b.H+h)*b.W+w])
		if math.IsNaN(v) {
			return notANumber
		}
		rgb[i] = uint8(math.Round((max(-1, min(1, v)) + 1) / 2 * 255))
	}
	return color.NRGBA{rgb[0], rgb[1], rgb[2], 0xff}
}

const labelGap = 8 // pixels between a label and its row

// labelWidth returns the width of the column of labels, gap included.
func (g Grid) labelWidth() (width int) {
	for _, label := range g.Labels {
		width = max(width, font.MeasureString(inconsolata.Regular8x16, label).Ceil()+labelGap)
	}
	return width
}

// drawLabel writes a label that ends at x, around the height y.
func drawLabel(img *image.NRGBA, label string, x, y int) {
	face := inconsolata.Regular8x16
	d := font.Drawer{Dst: img, Src: image.NewUniform(labelColor), Face: face}
	middle := (face.Ascent - face.Descent) / 2
	d.Dot = fixed.P(x-d.MeasureString(label).Ceil(), y+middle)
	d.DrawString(label)
}

// Beside puts pictures side by side, their tops in line, gap pixels apart.
func Beside(gap int, pictures ...image.Image) *image.NRGBA {
	width, height := -gap, 0
	for _, p := range pictures {
		width += p.Bounds().Dx() + gap
		height = max(height, p.Bounds().Dy())
	}
	img := image.NewNRGBA(image.Rect(0, 0, max(0, width), height))
	left := 0
	for _, p := range pictures {
		r := p.Bounds()
		for y := range r.Dy() {
			for x := range r.Dx() {
				img.Set(left+x, y, p.At(r.Min.X+x, r.Min.Y+y))
			}
		}
		left += r.Dx() + gap
	}
	return img
}

// PNG encodes a picture.
func PNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err := encoder.Encode(&b, img)
	return b.Bytes(), err
}

// WritePNG writes a picture to a file, whole or not at all.
func WritePNG(path string, img image.Image) error {
	b, err := PNG(img)
	if err != nil {
		return err
	}
	return durable.WriteFile(path, b)
}
